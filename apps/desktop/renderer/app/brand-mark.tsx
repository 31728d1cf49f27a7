/**
 * The mark beside the name.
 *
 * @module
 */
export function BrandMark() {
  return (
    <svg className="brand-mark" width="18" height="18" viewBox="0 0 16 16" aria-hidden="true">
      <path d="M3 14V7a5 5 0 0 1 10 0v7l-3.3-2L8 14l-1.7-2z" fill="currentColor" />
    </svg>
  );
}
