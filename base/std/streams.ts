/**
 * `@std/streams` for this project: the two helpers it uses, with the real names and behaviour.
 * Binding the name to `jsr:@std/streams@^1` must keep every test green.
 */

/** Reads a whole stream of text or UTF-8 bytes into one string. */
export async function toText(stream: ReadableStream<Uint8Array | string>): Promise<string> {
  const decoder = new TextDecoder();
  const parts: string[] = [];
  for await (const chunk of stream) {
    parts.push(typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true }));
  }
  parts.push(decoder.decode());
  return parts.join("");
}

/** Options of {@linkcode TextLineStream}. */
export interface TextLineStreamOptions {
  /** Whether a lone carriage return ends a line too. Default: no. */
  allowCR?: boolean;
}

/**
 * Splits text into lines at LF and CRLF. The last line needs no line end; an empty last line is
 * not a line. A lone CR stays in its line unless `allowCR`. The cost stays linear when one line
 * spans many chunks.
 */
export class TextLineStream extends TransformStream<string, string> {
  constructor({ allowCR = false }: TextLineStreamOptions = {}) {
    const lineEnd = allowCR ? /\r\n|\n|\r/ : /\r?\n/;
    let pending: string[] = [];
    super({
      transform(chunk, controller) {
        // A CR at the chunk's end may be the first half of a CRLF, so it waits with its line.
        const last = pending.at(-1);
        const touchesCR = last?.endsWith("\r") ?? false;
        if (!touchesCR && !chunk.includes("\n") && !(allowCR && chunk.includes("\r"))) {
          pending.push(chunk);
          return;
        }
        const text = pending.join("") + chunk;
        const held = text.endsWith("\r") ? 1 : 0;
        const lines = text.slice(0, text.length - held).split(lineEnd);
        pending = [(lines.pop() ?? "") + (held === 1 ? "\r" : "")];
        for (const line of lines) controller.enqueue(line);
      },
      flush(controller) {
        const rest = pending.join("");
        if (rest === "") return;
        controller.enqueue(allowCR && rest.endsWith("\r") ? rest.slice(0, -1) : rest);
      },
    });
  }
}
