/**
 * Finds how many threads evaluate a token fastest on this machine, now, with this model.
 *
 * llama.cpp's threads wait for each other by spinning. Where something else needs a core as well, one thread too
 * many makes a small model up to a thousand times slower, and no rule from the core count alone says when.
 *
 * @module
 */
import type { AddonContext } from "./llama-addon.ts";
import { TokenCache } from "./token-cache.ts";

/** @param cores of this machine; one of them stays free for the tunnel */
export function threadCandidates(cores: number): readonly number[] {
  const most = Math.max(1, cores - 1);
  const candidates: number[] = [];
  for (let threads = 1; threads < most; threads *= 2) candidates.push(threads);
  return [...candidates, most];
}

/**
 * Leaves the context empty, set to the number it returns.
 *
 * @param token any token of the model; one was evaluated before, since the first reads the weights
 */
export async function calibrateThreads(
  context: AddonContext,
  token: number,
  cores: number,
): Promise<number> {
  const candidates = threadCandidates(cores);
  let best = 1;
  if (candidates.length > 1) {
    const cache = new TokenCache(context, candidates.length * CANDIDATE_TOKENS, 1);
    let bestMs = Infinity;
    // From one up, so that no more than one number of threads is tried that is too many.
    for (const threads of candidates) {
      context.setThreads(threads);
      const ms = await meanTokenMs(cache, token);
      if (ms > bestMs) break;
      [best, bestMs] = [threads, ms];
    }
    cache.clear();
  }
  context.setThreads(best);
  return best;
}

/** The mean, because the rare token that waits for a busy core is what makes a number of threads bad. */
async function meanTokenMs(cache: TokenCache, token: number): Promise<number> {
  const start = performance.now();
  for (let count = 1; ; count++) {
    await cache.append([token]);
    const passedMs = performance.now() - start;
    if (count === CANDIDATE_TOKENS || passedMs > CANDIDATE_MS) return passedMs / count;
  }
}

const CANDIDATE_TOKENS = 8;

/** No new token is started after this, so that four candidates take 0.25 s with a model of ordinary size. */
const CANDIDATE_MS = 40;
