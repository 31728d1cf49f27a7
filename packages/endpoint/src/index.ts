/**
 * OpenAI's and Anthropic's interfaces on your own machine, in front of a node.
 *
 * @module
 */
export { ApiKeys, DEFAULT_KEY } from "./door/api-keys.ts";
export { DEFAULT_PORT, Endpoint, type EndpointOptions } from "./endpoint.ts";
