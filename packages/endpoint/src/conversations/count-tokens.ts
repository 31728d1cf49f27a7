/**
 * How many tokens a prompt has: counted by a worker, because only a node has the model's vocabulary and template.
 *
 * @module
 */
import type { LiveConversations, Wanted } from "./live-conversations.ts";
import type { NodeLink } from "./node-link.ts";

/**
 * The conversation that the prompt goes on with counts, and stays as it was; without one, a worker that ends then.
 *
 * @throws `ClientError`
 */
export async function countTokens(
  node: NodeLink,
  live: LiveConversations,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<number> {
  const lease = await live.lease(wanted, node.opener(signal));
  const { text } = wanted.messages.at(-1)!;
  try {
    return await lease.conversation.countTokens({ text, keep: lease.keep });
  } finally {
    lease.giveBack();
  }
}
