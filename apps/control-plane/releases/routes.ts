/**
 * Files of the repository over HTTP, whole or from an offset on, so that a download that was cut goes on.
 *
 * @module
 */
import type { FastifyInstance, FastifyReply } from "fastify";
import { ControlPlaneError } from "../control-plane-error.ts";
import { METADATA_NAME, TARGET_NAME, type Repository } from "./repository.ts";

type File = { Params: { name: string }; Headers: { range?: string } };

export function releaseRoutes(app: FastifyInstance, repository: Repository): void {
  for (const [kind, pattern] of [
    ["metadata", METADATA_NAME],
    ["targets", TARGET_NAME],
  ] as const) {
    const params = { type: "object", properties: { name: { type: "string", pattern } } };
    app.get<File>(
      `/v1/releases/${kind}/:name`,
      { schema: { summary: `A file of the repository's ${kind}`, params } },
      async (request, reply) =>
        send(repository, kind, request.params.name, request.headers.range, reply),
    );
  }
}

async function send(
  repository: Repository,
  kind: "metadata" | "targets",
  name: string,
  range: string | undefined,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const file = await repository.open(kind, name);
  if (!file) throw new ControlPlaneError("ERR_NOT_FOUND");
  const { size } = await file.stat();
  const start = offsetIn(range);
  void reply
    .type(kind === "metadata" ? "application/json" : "application/octet-stream")
    .header("accept-ranges", "bytes")
    .header("cache-control", "no-cache");
  if (start >= size && start > 0) {
    await file.close();
    return reply.code(416).header("content-range", `bytes */${size}`).send();
  }
  if (start > 0) void reply.code(206).header("content-range", `bytes ${start}-${size - 1}/${size}`);
  return reply
    .header("content-length", size - start)
    .send(file.createReadStream({ start, ...(size > 0 ? { end: size - 1 } : {}) }));
}

/** Only `bytes=N-` is understood; with anything else the whole file comes, which is correct. */
function offsetIn(range: string | undefined): number {
  const [, start] = /^bytes=(\d{1,15})-$/.exec(range ?? "") ?? [];
  return Number(start ?? 0);
}
