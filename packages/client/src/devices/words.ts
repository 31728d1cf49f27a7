/**
 * 256 words that sound unlike each other: one for each byte of a fingerprint.
 *
 * Their order never changes, or people would compare words of two versions.
 *
 * @module
 */
export const words: readonly string[] = `
  acorn actor album alder alpha amber anchor anvil apple apron arrow aspen atlas attic autumn
  badge bagel bamboo banjo barrel basil basket beacon beaver berry birch biscuit blanket blossom
  bonfire border bottle branch bread bridge bronze brook bucket butter button cabin cactus camel
  candle canoe canyon carbon carpet castle cedar cello chalk cherry chess chimney cider cinnamon
  circle citrus clay clover cobalt cocoa comet copper coral cotton cradle crane crater cricket
  crown crystal cushion cypress daisy dancer dawn delta desert diamond dolphin domino donkey
  dragon drum eagle easel echo elbow elder ember emerald engine falcon feather fennel fern ferry
  fiddle finch flame flint flute forest fossil fountain fox galaxy garden garlic gazelle ginger
  glacier globe goose granite grape gravel guitar hammer harbor harvest hazel helmet heron hickory
  honey horizon hotel iceberg igloo indigo ink island ivory jacket jaguar jasmine jelly jungle
  juniper kayak kettle kitten koala ladder lagoon lantern laurel lemon leopard lilac linen lizard
  lobster lotus lunar magnet mango maple marble meadow melon mentor meteor mint mirror mitten
  mosaic moss muffin museum napkin nectar needle nickel nomad north nutmeg oasis ocean olive onion
  opal orbit orchid otter oyster paddle palace panda paper parrot pastry peach pebble pelican
  pencil pepper piano pigeon pillow pine planet plum pocket pony poppy prairie prism puzzle quail
  quartz quilt rabbit radish raven reef ribbon river robin rocket rose ruby saddle saffron salmon
  sandal sapphire scarf shadow silver sparrow spruce summit sunset swan tulip tunnel turtle
  umbrella valley vanilla velvet violin walnut willow window winter yogurt zebra zenith zigzag
  zinc zodiac
`
  .trim()
  .split(/\s+/);
