/**
 * The model host and its CDN as a process, in a network of their own.
 *
 *   model-host.ts IDENTITY      a file with key and certificate as JSON
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { TestModelHost } from "../../../apps/node/fetcher/test-model-host.ts";

const [identity] = process.argv.slice(2);
await new TestModelHost(JSON.parse(readFileSync(identity!, "utf8"))).listen("0.0.0.0", 443);
