/** One turn of a flood as its host sees it: nothing missing, nothing twice, nothing out of order. */
import { strict as assert } from "node:assert";
import type { Frame } from "./bare_plugin.ts";

/** Checks one turn's events as they come. */
export class FloodedTurn {
  answered = false;
  readonly #name: string;
  /** The numbers that the texts must begin with, in order. */
  readonly #expected: Generator<number>;
  #seq = 0;
  #texts = 0;

  /** @param batches Each batch of so many texts is numbered from 0. */
  constructor(name: string, batches: readonly number[]) {
    this.#name = name;
    this.#expected = (function* () {
      for (const count of batches) for (let n = 0; n < count; n++) yield n;
    })();
  }

  receive(seq: unknown, event: { type?: string; index?: number; text?: string }): void {
    assert.equal(seq, this.#seq++, `${this.#name}: a gap in the numbers`);
    assert.equal(event.type === "message_start", seq === 0, `${this.#name}: begins with its start`);
    if (event.type !== "text_delta") return;
    assert.equal(event.index, this.#texts++, `${this.#name}: a gap in the texts`);
    const number = Number(/^\s*(\d+) /.exec(event.text ?? "")?.[1]);
    assert.equal(number, this.#expected.next().value, `${this.#name}: texts out of order`);
  }

  answer({ result, error }: Frame): void {
    assert.equal(result?.stop_reason, "end_turn", `${this.#name}: ${JSON.stringify(error)}`);
    assert.ok(this.#expected.next().done, `${this.#name}: texts are missing`);
    this.answered = true;
  }
}
