/**
 * A turn on a terminal: the model's words go to stdout, what happens meanwhile to stderr, so that
 * `turn … > answer.txt` keeps the answer and shows the rest. Where stderr is a terminal its last
 * line says what is going on right now.
 *
 * @module
 */
import type { TurnEvent } from "../../../runner/turn_event.ts";
import type { TurnSummary } from "../../turn_meter.ts";
import { figures, gist, lastLine, size, textIn } from "../cli/figures.ts";
import { clipTo, oneLine, type Paint, printable, wrap, wrapProse } from "../cli/terminal.ts";

/** Where the view writes and how. */
export interface TurnScreen {
  out(text: string): void;
  err(text: string): void;
  /** Whether stdout and stderr are the same terminal. */
  together: boolean;
  /** Whether the last line may be rewritten. */
  live: boolean;
  paint: Paint;
  columns(): number;
}

const FRAMES = ["·  ", "·· ", "···", " ··", "  ·", "   "];

/** Shows the events of one turn. */
export class TurnView {
  readonly #screen: TurnScreen;
  readonly #calls = new Map<string, { name: string; started: number }>();
  #doing = "waiting for codex";
  #since = performance.now();
  #frame = 0;
  #shown = false;
  #texts = 0;
  #latestCall = "";

  constructor(screen: TurnScreen) {
    this.#screen = screen;
  }

  /** Shows one event. */
  show(event: TurnEvent): void {
    const { paint } = this.#screen;
    switch (event.type) {
      case "started": {
        const how = event.resumed ? "goes on" : "new";
        this.#line(paint("dim", `thread ${event.threadId} (${how})`));
        return this.#now("waiting for the model");
      }
      case "text":
        return this.#text(event.text);
      case "thinking":
        return this.#lines(event.text, (line) => paint("dim", line));
      case "call_started":
        this.#calls.set(event.id, { name: event.name, started: performance.now() });
        return;
      case "call_ended": {
        const name = this.#calls.get(event.id)?.name ?? "?";
        const args = clipTo(gist(event.arguments), this.#screen.columns() - name.length - 4);
        this.#line(`${paint("cyan", "→")} ${paint("bold", oneLine(name))} ${args}`);
        this.#latestCall = event.id;
        return this.#now(`${oneLine(name)} is running`);
      }
      case "call_result":
        return this.#result(event);
      case "status":
        return this.#lines(`· ${event.message}`, (line) => paint("dim", line));
      case "error": {
        const { kind, message, hint, detail } = event.failure;
        this.#lines(`${kind}: ${message}`, (line) => paint("red", line));
        if (detail !== undefined) this.#lines(detail, (line) => paint("dim", line));
        if (hint !== undefined) this.#lines(`→ ${hint}`, (line) => line);
        return;
      }
      case "ended":
        return this.clear();
    }
  }

  /** Says what is going on now. */
  doing(what: string): void {
    this.#now(what);
    this.tick();
  }

  /** Draws the last line anew. */
  tick(): void {
    if (!this.#screen.live) return;
    const seconds = Math.floor((performance.now() - this.#since) / 1000);
    const text = `${FRAMES[this.#frame++ % FRAMES.length]} ${this.#doing}, ${seconds} s`;
    const clipped = clipTo(text, this.#screen.columns() - 1);
    this.#screen.err(`\r\x1b[K${this.#screen.paint("dim", clipped)}`);
    this.#shown = true;
  }

  /** The numbers of the turn. */
  close(summary: TurnSummary): void {
    this.clear();
    if (!this.#screen.together && this.#texts > 0) this.#screen.out("\n");
    const { paint, columns } = this.#screen;
    const colour = summary.stopReason === "end_turn" ? "green" : "yellow";
    const numbers = wrap(figures(summary).join(" · "), columns() - 2, "  ");
    this.#line(`${paint(colour, "■")} ${numbers}`);
  }

  /** Takes the last line away. */
  clear(): void {
    if (this.#shown) this.#screen.err("\r\x1b[K");
    this.#shown = false;
  }

  #text(text: string): void {
    this.clear();
    const { out, together, columns } = this.#screen;
    if (together) out(`${wrapProse(printable(text.replace(/^\n\n/, "")), columns())}\n`);
    else out(printable(text));
    this.#texts++;
    this.#now("waiting for the model");
  }

  #result({ id, output, isError }: TurnEvent & { type: "call_result" }): void {
    const { paint, columns } = this.#screen;
    const call = this.#calls.get(id);
    const seconds = call === undefined ? 0 : (performance.now() - call.started) / 1000;
    const text = typeof output === "string" ? output : textIn(output);
    const sign = isError ? paint("red", "✗ failed") : paint("green", "✓");
    // Named where it is not the answer to the line above.
    const name = id === this.#latestCall ? "" : `${oneLine(call?.name ?? "?")}, `;
    const bytes = size(new TextEncoder().encode(text).length);
    const facts = `${name}${bytes}, ${seconds.toFixed(1)} s`;
    const room = columns() - facts.length - (isError ? 14 : 7);
    const head = room < 12 ? "" : `  ${paint("dim", clipTo(lastLine(text), room))}`;
    this.#line(`  ${sign} ${facts}${head}`);
    this.#now("waiting for the model");
  }

  #now(what: string): void {
    this.#doing = what;
    this.#since = performance.now();
  }

  #line(text: string): void {
    this.clear();
    this.#screen.err(`${text}\n`);
  }

  #lines(text: string, style: (line: string) => string): void {
    for (const line of printable(text).trimEnd().split("\n")) {
      this.#line(style(wrap(line, this.#screen.columns() - 2, "  ")));
    }
  }
}
