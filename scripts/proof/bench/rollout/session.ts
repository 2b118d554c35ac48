/**
 * Sessions to measure with: rollouts of any size that look like codex's.
 *
 * Two thirds of the bytes are tool outputs, from a hundred bytes to 300 kB, the rest are messages, calls,
 * events and token counts, with the same heads as codex 0.169 writes.
 */
const THREAD = "01a2033a-d01e-7bf0-9b35-c536ac582262";
const encoder = new TextEncoder();

/** A generated session. */
export interface BenchSession {
  threadId: string;
  path: string;
  bytes: number;
  lines: number;
  /** Ids of calls with an output of a few kilobytes, spread over the whole file. */
  calls: string[];
}

/** Writes a rollout of about `megabytes` MB where codex would keep it. */
export function writeSession(codexHome: string, megabytes: number): BenchSession {
  const directory = `${codexHome}/sessions/2026/11/22`;
  Deno.mkdirSync(directory, { recursive: true });
  const path = `${directory}/rollout-2026-11-22T12-28-35-${THREAD}.jsonl`;
  using file = Deno.openSync(path, { write: true, create: true, truncate: true });
  const words = `the quick brown fox "jumps" over\nthe lazy dog 0123456789 é `;
  const long = words.repeat(5000);
  const chunks: string[] = [];
  const calls: string[] = [];
  const wanted = megabytes * 1e6;
  let [bytes, lines, pending, turn] = [0, 0, 0, 0];

  const timestamp = "2026-11-22T12:28:35.745Z";
  const add = (type: string, payload: Record<string, unknown>): void => {
    const text = JSON.stringify({ timestamp, ordinal: lines++, type, payload });
    chunks.push(text);
    pending += text.length + 1;
    if (pending > 4e6) flush();
  };
  const flush = (): void => {
    const data = encoder.encode(chunks.splice(0).map((line) => line + "\n").join(""));
    for (let at = 0; at < data.length;) at += file.writeSync(data.subarray(at));
    bytes += data.length;
    pending = 0;
  };
  const text = (length: number): string => long.slice(turn % 50, turn % 50 + length);

  const message = (role: string, content: Record<string, unknown>) =>
    add("response_item", { type: "message", role, content: [content] });

  add("session_meta", { id: THREAD, cwd: "/workspace", base_instructions: text(20_000) });
  while (bytes + pending < wanted) {
    const id = `call_${turn}`;
    const size = turn % 40 === 0 ? 300_000 : turn % 3 === 0 ? 100 : 4000;
    const command = { type: "CommandExecution", id, aggregated_output: text(size / 4) };
    const total = {
      ...{ input_tokens: turn, cached_input_tokens: 0 },
      ...{ output_tokens: 1, reasoning_output_tokens: 0 },
    };
    const info = { total_token_usage: total, last_token_usage: total };
    add("event_msg", { type: "task_started", turn_id: id });
    message("user", { type: "input_text", text: text(400) });
    add("response_item", { type: "reasoning", summary: [], encrypted_content: text(1500) });
    const args = { name: "exec_command", arguments: text(200) };
    add("response_item", { type: "function_call", ...args, call_id: id });
    add("event_msg", { type: "item_completed", item: command });
    add("response_item", { type: "function_call_output", call_id: id, output: text(size) });
    add("event_msg", { type: "token_count", info });
    message("assistant", { type: "output_text", text: text(800) });
    if (size === 4000) calls.push(id);
    turn++;
  }
  flush();
  file.syncSync(); // or the first consume would wait for all of it to reach the medium
  return { threadId: THREAD, path, bytes, lines, calls };
}
