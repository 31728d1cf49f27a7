/**
 * The control of the walk: the same control plane, beside a connection that it should not have. PHONE_PORT says where to.
 *
 * @module
 */
import { connect } from "node:net";

connect(Number(process.env.PHONE_PORT), "127.0.0.1").on("error", () => undefined);
await import("../../../apps/control-plane/main.ts");
