/**
 * Who may run beside whom: calls of tools that only read share the lane, any other call has it for
 * itself, and nobody overtakes. codex is told that calls may run in parallel and sends them all at
 * once; the order of the model's calls is the order in which they arrive here.
 *
 * @module
 */

/** A fair reader-writer queue. */
export class Lanes {
  #alone: Promise<void> = Promise.resolve();
  #shared: Promise<void>[] = [];

  /** Takes a place; `ready` resolves when it is one's turn, `leave` gives the place up. */
  enter(shared: boolean): { ready: Promise<void>; leave: () => void } {
    const { promise: done, resolve: leave } = Promise.withResolvers<void>();
    if (shared) {
      const ready = this.#alone;
      this.#shared.push(done);
      done.then(() => {
        this.#shared = this.#shared.filter((other) => other !== done);
      });
      return { ready, leave };
    }
    const ready = Promise.all([this.#alone, ...this.#shared]).then(() => {});
    // Whoever comes later waits for this one too, and this one may leave before it was ready.
    this.#alone = Promise.all([ready, done]).then(() => {});
    this.#shared = [];
    return { ready, leave };
  }
}
