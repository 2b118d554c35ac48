/**
 * The request that begins a turn. Everything in it is given each time: codex keeps what it is told for
 * later turns as well.
 *
 * @module
 */
import type { RunInput } from "../transport.ts";
import type { ConfiguredTurn } from "./thread.ts";

/** What of a run goes into its turn. */
export type TurnInput = Pick<
  RunInput,
  "images" | "model" | "networkAccess" | "outputSchema" | "prompt" | "sandbox" | "writableRoots"
>;

/** Parameters of `turn/start`. */
export function turnParams(
  threadId: string,
  input: TurnInput,
  configured: ConfiguredTurn,
): Record<string, unknown> {
  const { prompt, images, outputSchema, model = configured.model } = input;
  const { effort } = configured;
  return {
    threadId,
    input: [
      { type: "text", text: prompt, text_elements: [] },
      ...images.map((path) => ({ type: "localImage", path })),
    ],
    approvalPolicy: "never",
    sandboxPolicy: sandboxPolicy(input, configured.writes),
    ...(model === undefined ? {} : { model }),
    ...(effort === undefined ? {} : { effort }),
    ...(outputSchema === undefined ? {} : { outputSchema }),
  };
}

/** As `codex exec` puts it together: a flag, then codex's configuration, our values first. */
function sandboxPolicy(
  { sandbox, writableRoots, networkAccess }: TurnInput,
  writes: ConfiguredTurn["writes"],
): Record<string, unknown> {
  switch (sandbox) {
    case "read-only":
      return { type: "readOnly" };
    case "danger-full-access":
      return { type: "dangerFullAccess" };
    case "workspace-write":
      return {
        type: "workspaceWrite",
        writableRoots: writableRoots.length > 0 ? writableRoots : writes.writable_roots ?? [],
        networkAccess: networkAccess || writes.network_access === true,
        excludeTmpdirEnvVar: writes.exclude_tmpdir_env_var === true,
        excludeSlashTmp: writes.exclude_slash_tmp === true,
      };
  }
}
