/**
 * A turn on a terminal: the model's words go to stdout, what happens meanwhile to stderr, so that
 * `turn … > answer.txt` keeps the answer and shows the rest. Where stderr is a terminal its last
 * line says what is going on right now.
 *
 * @module
 */
import type { TurnEvent } from "../../../runner/turn_event.ts";
import type { TurnSummary } from "../../../runner/turn_stream.ts";
import { callSubject, count, many, oneLine, type Paint, printable, size } from "../cli/terminal.ts";
import { clipTo, type Progress, widthOf, wrap } from "../cli/text.ts";

/** Where the view writes and how. */
export interface TurnScreen {
  out(text: string): void;
  err(text: string): void;
  /** Whether stdout and stderr are the same terminal. */
  together: boolean;
  /** Nothing but the model's words, and failures. */
  quiet: boolean;
  progress: Pick<Progress, "now" | "clear">;
  paint: Paint;
  columns(): number;
}

/** Shows the events of one turn. */
export class TurnView {
  readonly #screen: TurnScreen;
  readonly #calls = new Map<string, { name: string; started: number }>();
  #texts = 0;
  /** The model's words ended without a newline, on the line on which ours would go on. */
  #midLine = false;
  #latestCall = "";

  constructor(screen: TurnScreen) {
    this.#screen = screen;
    this.#now("waiting for codex");
  }

  /** Shows one event. */
  show(event: TurnEvent): void {
    const { paint } = this.#screen;
    switch (event.type) {
      case "message_start": {
        const how = event.resumed ? "goes on" : "new";
        this.#line(paint("dim", `thread ${event.thread_id} (${how})`));
        return this.#now("waiting for the model");
      }
      case "text_delta":
        return this.#text(event.text);
      case "thinking_delta":
        return this.#lines(event.text, (line) => paint("dim", line));
      case "tool_call_start":
        this.#calls.set(event.id, { name: event.name, started: performance.now() });
        return;
      case "tool_call_end": {
        const name = oneLine(this.#calls.get(event.id)?.name ?? "?");
        const room = this.#screen.columns() - widthOf(name) - 4;
        const subject = clipTo(callSubject(event.arguments), room);
        this.#line(`${paint("cyan", "→")} ${paint("bold", name)} ${subject}`);
        this.#latestCall = event.id;
        return this.#now(`${name} is running`);
      }
      case "tool_result":
        return this.#result(event);
      case "text_retracted":
        return this.#lines("· codex begins its answer again", (line) => paint("dim", line));
      case "status":
        return this.#lines(`· ${event.message}`, (line) => paint("dim", line));
      case "error": {
        const { kind, message, hint, detail } = event.error;
        this.#lines(`${kind}: ${message}`, (line) => paint("red", line), true);
        if (detail !== undefined) this.#lines(detail, (line) => paint("dim", line), true);
        if (hint !== undefined) this.#lines(`→ ${hint}`, (line) => line, true);
        return;
      }
      case "message_end":
        return this.#now("");
    }
  }

  /** The turn was asked to end. */
  cancelling(): void {
    this.#line("cancelling ... (Ctrl-C again kills)", true);
    this.#now("cancelling");
  }

  /** The numbers of the turn. */
  close(summary: TurnSummary): void {
    this.#now("");
    if (!this.#screen.together && this.#texts > 0) this.#screen.out("\n");
    const { paint, columns } = this.#screen;
    const colour = summary.stop_reason === "end_turn" ? "green" : "yellow";
    const numbers = wrap(turnNumbers(summary).join(" · "), columns() - 2, "  ");
    this.#line(`${paint(colour, "■")} ${numbers}`);
    this.#endLine();
  }

  /** The model's words as they come, whole messages or pieces; the terminal breaks the lines. */
  #text(text: string): void {
    const { out, together, progress } = this.#screen;
    progress.clear();
    this.#texts++;
    const shown = printable(together && !this.#midLine ? text.replace(/^\n+/, "") : text);
    if (shown === "") return;
    out(shown);
    this.#midLine = together && !shown.endsWith("\n");
    this.#now(this.#midLine ? "" : "waiting for the model");
  }

  #result({ id, output, is_error }: TurnEvent & { type: "tool_result" }): void {
    const { paint, columns } = this.#screen;
    const call = this.#calls.get(id);
    const seconds = call === undefined ? 0 : (performance.now() - call.started) / 1000;
    const text = typeof output === "string" ? output : textIn(output);
    const sign = is_error ? paint("red", "✗ failed") : paint("green", "✓");
    // Named where it is not the answer to the line above.
    const name = id === this.#latestCall ? "" : `${oneLine(call?.name ?? "?")}, `;
    const bytes = size(new TextEncoder().encode(text).length);
    const facts = `${name}${bytes}, ${seconds.toFixed(1)} s`;
    const room = columns() - widthOf(facts) - (is_error ? 14 : 7);
    const head = room < 12 ? "" : `  ${paint("dim", clipTo(lastLine(text), room))}`;
    this.#line(`  ${sign} ${facts}${head}`);
    this.#now("waiting for the model");
  }

  #now(doing: string): void {
    if (!this.#screen.quiet) this.#screen.progress.now(doing);
  }

  #endLine(): void {
    if (this.#midLine) this.#screen.out("\n");
    this.#midLine = false;
  }

  #line(text: string, always = false): void {
    if (this.#screen.quiet && !always) return;
    this.#screen.progress.clear();
    this.#endLine();
    this.#screen.err(`${text}\n`);
  }

  #lines(text: string, style: (line: string) => string, always = false): void {
    for (const line of printable(text).trimEnd().split("\n")) {
      this.#line(style(wrap(line, this.#screen.columns() - 2, "  ")), always);
    }
  }
}

/** The numbers of a turn, as phrases. */
function turnNumbers(summary: TurnSummary): string[] {
  const { stop_reason, ms_total, ms_to_first_event, tool_calls } = summary;
  const { input_tokens, cached_input_tokens, output_tokens } = summary;
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const cached = cached_input_tokens ? ` (${count(cached_input_tokens)} cached)` : "";
  return [
    stop_reason.replace("_", " "),
    seconds(ms_total),
    ...(ms_to_first_event === undefined ? [] : [`first event after ${seconds(ms_to_first_event)}`]),
    ...(input_tokens === undefined ? [] : [`${count(input_tokens)} tokens in${cached}`]),
    ...(output_tokens === undefined ? [] : [`${count(output_tokens)} out`]),
    ...(tool_calls === 0 ? [] : [many(tool_calls, "tool call")]),
  ];
}

/** The last line of an output: codex puts its own words before a tool's. */
function lastLine(text: string): string {
  return oneLine(text.trimEnd().split("\n").at(-1) ?? "");
}

/** The texts of an output's parts, with a word for what is none. */
function textIn(output: readonly unknown[]): string {
  return output.map((part) =>
    typeof part === "object" && part !== null && "text" in part && typeof part.text === "string"
      ? part.text
      : "[image]"
  ).join("\n");
}
