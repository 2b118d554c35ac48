/**
 * Session files for the operator's tests.
 */
import { fromFileUrl } from "@std/path";

/** Captured runs. */
export const FIXTURES = fromFileUrl(new URL("../../fixtures", import.meta.url));

/** The thread in files of {@link rolloutWith}. */
export const THREAD = "01a2033c-52d1-7b70-b23b-5363e2ac6ad0";

/** A session of one turn with these calls; a string is a line as it stands. */
export function rolloutWith(
  lines: readonly ({ call: string; output: string; name?: string; arguments?: string } | string)[],
  prompt = "do it",
): { path: string } & Disposable {
  const path = Deno.makeTempFileSync({ suffix: ".jsonl" });
  const record = (type: string, payload: unknown) =>
    JSON.stringify({ timestamp: "2026-11-20T09:00:00.123Z", type, payload });
  const text = [
    record("session_meta", { id: THREAD, cwd: "/w", cli_version: "0.169.0" }),
    record("event_msg", { type: "task_started" }),
    record("event_msg", { type: "user_message", message: prompt }),
    ...lines.flatMap((line) => {
      if (typeof line === "string") return [line];
      const { call: call_id, output, name = "exec_command", arguments: args = "{}" } = line;
      return [
        record("response_item", { type: "function_call", name, arguments: args, call_id }),
        record("response_item", { type: "function_call_output", call_id, output }),
      ];
    }),
    record("event_msg", { type: "task_complete", last_agent_message: "ok" }),
  ];
  Deno.writeTextFileSync(path, text.join("\n") + "\n");
  return { path, [Symbol.dispose]: () => Deno.removeSync(path) };
}
