/**
 * What every command of the terminal is.
 *
 * @module
 */
export interface Command {
  readonly usage: string;
  readonly summary: string;
  /** @returns the exit code; throws `ClientError` or `UsageError` */
  run(args: string[]): Promise<number>;
}
