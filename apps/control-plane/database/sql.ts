/**
 * The one way to the database: PostgreSQL's SQL, in a server of its own or embedded in this process.
 *
 * Numbers that may need 64 bits are cast to text in every statement, because the two drivers read them differently.
 *
 * @module
 */
import { ControlPlaneError } from "../control-plane-error.ts";

export interface Sql {
  /** @throws {@link ControlPlaneError} `ERR_DATABASE`; nothing was changed, or it is not known whether it was */
  query<Row>(text: string, values?: readonly unknown[]): Promise<readonly Row[]>;
}

export interface Database extends Sql {
  readonly kind: "postgresql" | "embedded";
  /** All of it or none. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** How long to stay away while the database is gone. */
const RETRY_SECONDS = 30;

/** Our own refusals pass, in a transaction too; whatever the driver says becomes one code, and the cause stays in this process. */
export async function asDatabaseError<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof ControlPlaneError || cause instanceof RangeError) throw cause;
    const error = new ControlPlaneError("ERR_DATABASE", RETRY_SECONDS);
    error.cause = cause;
    throw error;
  }
}
