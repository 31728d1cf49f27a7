/**
 * The anchor of this build. `null` in the source: it verifies with an anchor that a person names, and the first
 * ceremony has not been held. A released build has the output of `npm run release -- anchor` here.
 *
 * @module
 */
export const builtInAnchor: unknown = null;
