/**
 * The words that a person compares, large enough to read aloud.
 *
 * @module
 */
export function Words({ words, label }: { words: readonly string[]; label: string }) {
  return (
    <ol className="fingerprint-words pair-words" aria-label={label}>
      {words.map((word, place) => (
        // A word may occur twice; its place is what it is.
        <li key={place}>{word}</li>
      ))}
    </ol>
  );
}
