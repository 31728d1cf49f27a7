import { describe } from "vitest";
import { describeTable } from "../request/test-tables.ts";
import { countParameters, parseCountRequest } from "./count-parameters.ts";

const least = { model: "demo", messages: [{ role: "user", content: "hello" }] };

describe("every parameter of the table", () =>
  describeTable(countParameters, (more) => parseCountRequest({ ...least, ...more })));
