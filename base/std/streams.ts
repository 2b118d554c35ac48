/**
 * `@std/streams` for this project: the one class it uses, with the real name and behaviour.
 * Binding the name to `jsr:@std/streams@^1` must keep every test green.
 */

/**
 * Splits text into lines at LF and CRLF. The last line needs no line end; an empty last line is
 * not a line. A lone CR stays in its line. The cost stays linear when one line spans many chunks.
 */
export class TextLineStream extends TransformStream<string, string> {
  constructor() {
    let pending: string[] = [];
    super({
      transform(chunk, controller) {
        // A CR at the chunk's end may be the first half of a CRLF, so it waits with its line.
        if (!chunk.includes("\n")) {
          pending.push(chunk);
          return;
        }
        const lines = (pending.join("") + chunk).split(/\r?\n/);
        pending = [lines.pop() ?? ""];
        for (const line of lines) controller.enqueue(line);
      },
      flush(controller) {
        const rest = pending.join("");
        if (rest !== "") controller.enqueue(rest);
      },
    });
  }
}
