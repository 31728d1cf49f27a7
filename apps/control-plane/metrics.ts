/**
 * What can be counted without knowing anybody, in the text format that Prometheus reads.
 *
 * @module
 */

/** Upper bounds of the histogram, in seconds: a heartbeat is one statement. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

export class Metrics {
  readonly #requests = new Map<string, number>();
  readonly #buckets = BOUNDS.map(() => 0);
  #seconds = 0;
  #count = 0;

  /** @param route a pattern from the code, so that the number of lines is bounded */
  answered(route: string, status: number, seconds: number): void {
    const labels = `route="${route}",status="${status}"`;
    this.#requests.set(labels, (this.#requests.get(labels) ?? 0) + 1);
    this.#seconds += seconds;
    this.#count += 1;
    for (const [index, bound] of BOUNDS.entries()) if (seconds <= bound) this.#buckets[index]! += 1;
  }

  text(): string {
    const seconds = "phantoma_request_seconds";
    return [
      "# TYPE phantoma_requests_total counter",
      ...[...this.#requests].map(([labels, n]) => `phantoma_requests_total{${labels}} ${n}`),
      `# TYPE ${seconds} histogram`,
      ...BOUNDS.map((bound, i) => `${seconds}_bucket{le="${bound}"} ${this.#buckets[i]}`),
      `${seconds}_bucket{le="+Inf"} ${this.#count}`,
      `${seconds}_sum ${this.#seconds.toFixed(6)}`,
      `${seconds}_count ${this.#count}`,
      "# TYPE phantoma_memory_bytes gauge",
      `phantoma_memory_bytes ${process.memoryUsage.rss()}`,
      "",
    ].join("\n");
  }
}
