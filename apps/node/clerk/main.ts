/**
 * The clerk process: one control session of one device, turned into typed requests to the keeper.
 *
 *   main.ts      with the gateway on descriptor 3 and the keeper on descriptor 4
 *
 * @module
 */
import { CloseCode, IDLE_TIMEOUT_MS } from "@phantoma/protocol";
import { ToProcess } from "../ipc/process-link.ts";
import { runTunnelEnd } from "../tunnel-end/tunnel-end.ts";
import { RequestQueue } from "./request-queue.ts";

await runTunnelEnd({
  role: "clerk",
  // A clerk computes nothing; one thread is what it has.
  warm: async () => 1,
  open(tunnel) {
    const requests = new RequestQueue(tunnel);
    // Verifying a large model takes longer than a silence may.
    const idle = setTimeout(
      () => void (requests.isIdle ? tunnel.leave(CloseCode.timeout) : idle.refresh()),
      IDLE_TIMEOUT_MS,
    );
    return ({ kind, body }) => {
      if (kind !== ToProcess.data) throw new RangeError("no such frame");
      idle.refresh();
      for (const received of tunnel.channel.receive(body)) requests.add(received);
    };
  },
  release: async () => undefined,
});
