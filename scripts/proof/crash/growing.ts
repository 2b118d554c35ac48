/**
 * A session that a real codex writes while the plugin is killed: what it must keep.
 *
 * A line that was on disk stays for ever, at its place and as it was, except for what was consumed of it.
 */
import { strict as assert } from "node:assert";
import { callItemsIn } from "../../../rollout/records/items.ts";

const encoder = new TextEncoder();

/** Watches one rollout from round to round. */
export class GrowingSession {
  readonly path: string;
  #lines: string[] = [];
  /** Ids that may have been consumed. */
  readonly #asked = new Set<string>();
  /** Ids that must be consumed, because it was acknowledged. */
  readonly #acknowledged = new Set<string>();

  constructor(path: string) {
    this.path = path;
  }

  get lines(): number {
    return this.#lines.length;
  }
  get acknowledged(): number {
    return this.#acknowledged.size;
  }

  /** A light consume of these ids is asked for; call the result when it is acknowledged. */
  ask(ids: string[]): () => void {
    for (const id of ids) this.#asked.add(id);
    return () => ids.forEach((id) => this.#acknowledged.add(id));
  }

  /** Throws where a line was lost, torn or changed by more than a consume that was asked for. */
  check(): void {
    const lines = Deno.readTextFileSync(this.path).split("\n");
    const rest = lines.pop() ?? "";
    assert.ok(lines.length >= this.#lines.length, "lines were lost");
    for (const [i, line] of lines.entries()) {
      JSON.parse(line);
      const before = this.#lines[i];
      if (before === undefined || before === line) continue;
      assert.equal(encoder.encode(line).length, encoder.encode(before).length, line);
      const [item] = callItemsIn(encoder.encode(line));
      assert.ok(item !== undefined && this.#asked.has(item.callId), `line ${i} changed: ${line}`);
      assert.deepEqual(JSON.parse(line), consumed(JSON.parse(before)));
    }
    assert.equal(rest, "", "nobody writes now, and the last line is whole");
    this.#lines = lines;
  }

  /** Throws where something that was acknowledged is not consumed. */
  checkAcknowledged(): void {
    for (const line of this.#lines) {
      const { payload } = JSON.parse(line);
      if (payload?.type !== "function_call_output") continue;
      const { call_id: id, output } = payload;
      if (this.#acknowledged.has(id)) assert.equal(output, "...(consumed)", `${id} is lost`);
    }
  }

  /** Ids of recorded outputs that nobody asked to consume yet. */
  whole(): string[] {
    return this.#lines.flatMap((line) => {
      const { payload } = JSON.parse(line);
      const isOutput = payload?.type === "function_call_output";
      return isOutput && !this.#asked.has(payload.call_id) ? [String(payload.call_id)] : [];
    });
  }
}

function consumed(record: { payload: Record<string, unknown> }): unknown {
  return { ...record, payload: { ...record.payload, output: "...(consumed)" } };
}
