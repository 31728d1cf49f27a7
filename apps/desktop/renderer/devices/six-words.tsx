/**
 * The words that a person compares, large enough to read aloud.
 *
 * @module
 */
/** Words: a kit's have room at full size. */
const LONGEST_LARGE = 12;

export function Words({ words, label }: { words: readonly string[]; label: string }) {
  const isLong = words.length > LONGEST_LARGE;
  return (
    <ol
      className={`fingerprint-words pair-words${isLong ? " safety-words" : ""}`}
      aria-label={label}
    >
      {words.map((word, place) => (
        // A word may occur twice; its place is what it is.
        <li key={place}>{word}</li>
      ))}
    </ol>
  );
}
