/**
 * What a fetched model is called: the last segment of the path it was asked by, without `.gguf`.
 *
 * @module
 */

/** @param path of an order's file, such as `/owner/repo/resolve/main/small.gguf` */
export function modelNameOf(path: string): string {
  const last =
    path
      .split(/[?#]/, 1)[0]!
      .split("/")
      .findLast((segment) => segment !== "") ?? path;
  return last.replace(/\.gguf$/i, "") || last;
}
