/**
 * OpenAI's interface on your own machine, in front of a node.
 *
 * @module
 */
export { ApiKeys } from "./api-keys.ts";
export { DEFAULT_PORT, Endpoint, type EndpointOptions } from "./endpoint.ts";
