/**
 * The clerk process: one control session of one device, turned into typed requests to the keeper.
 *
 *   main.ts      with the gateway on descriptor 3 and the keeper on descriptor 4
 *
 * @module
 */
import {
  ControlKind,
  controlRequestSchema,
  decodeJson,
  encodeJson,
  IDLE_TIMEOUT_MS,
  CloseCode,
  ProtocolError,
  type Received,
} from "@phantoma/protocol";
import { FromProcess, ToProcess } from "../ipc/process-link.ts";
import { runTunnelEnd, type OpenTunnel } from "../tunnel-end/tunnel-end.ts";
import { answerControl, refusedBecause } from "./answer-control.ts";

await runTunnelEnd({
  role: "clerk",
  // A clerk computes nothing; one thread is what it has.
  warm: async () => 1,
  open(tunnel) {
    const idle = setTimeout(() => void tunnel.leave(CloseCode.timeout), IDLE_TIMEOUT_MS);
    return ({ kind, body }) => {
      if (kind !== ToProcess.data) throw new RangeError("no such frame");
      idle.refresh();
      for (const received of tunnel.channel.receive(body)) void answer(tunnel, received);
    };
  },
  wipe: async () => undefined,
});

async function answer(tunnel: OpenTunnel, received: Received): Promise<void> {
  if (received.type === "end") return;
  const { stream, bytes } = received;
  if (bytes[0] !== ControlKind.request) return void tunnel.leave(CloseCode.limit);
  const response = await respond(tunnel, bytes.subarray(1));
  tunnel.channel.outbox.push(stream, encodeJson(ControlKind.response, response));
  tunnel.channel.outbox.end(stream);
  for (const sealed of tunnel.channel.flush()) tunnel.link.send(FromProcess.data, sealed);
}

async function respond({ keeper }: OpenTunnel, untrusted: Buffer) {
  try {
    return await answerControl(keeper, decodeJson(controlRequestSchema, untrusted));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return refusedBecause("ERR_INVALID_MESSAGE", error.message);
  }
}
