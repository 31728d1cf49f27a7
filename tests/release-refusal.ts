/**
 * The code with which a release is refused; `undefined` when it is accepted. Anything else is no refusal, and thrown.
 *
 * @module
 */
import { ReleaseError, type ReleaseRequest, verifyRelease } from "@phantoma/release";

export async function releaseRefusal(request: ReleaseRequest): Promise<string | undefined> {
  try {
    await verifyRelease(request);
    return undefined;
  } catch (error) {
    if (error instanceof ReleaseError) return error.code;
    throw error;
  }
}
