/**
 * What codex was asked for against what it says that counts (`turn_context` of the rollout).
 *
 * A machine's `/etc/codex/requirements.toml`, which only its administrator can write, goes before
 * every flag: it can open a sandbox that was to be shut. A host that asked for `read-only` must not
 * find that out from a changed file.
 *
 * @module
 */
import { resolve } from "@std/path";
import type { Followed } from "../../rollout/turn_calls.ts";
import type { RunInput } from "../transport.ts";

/** What was asked for. */
export type Asked = Pick<RunInput, "cwd" | "workspace" | "model" | "sandbox" | "extraArgs">;
/** What codex says that counts. */
export type Granted = Extract<Followed, { type: "turn_context" }>;

/** How what counts differs from what was asked for; sentences for a person. */
export interface Difference {
  /** The agent may do more: the turn must not go on. */
  more: string | undefined;
  /** Something to know. */
  other: string[];
}

const FREEDOM = ["read-only", "workspace-write", "danger-full-access", "external-sandbox"];

/** Compares the two. What a version does not write, or an operator's `extra_args` say, is passed by. */
export function compareGranted(asked: Asked, granted: Granted): Difference {
  const args = asked.extraArgs.join(" ");
  const other: string[] = [];
  let more: string | undefined;
  const { sandbox, model, approval } = granted;
  const bySomebody = /sandbox|yolo|full-auto|permission|(?:^| )(?:-s|-p|--profile)/.test(
    args,
  );
  if (sandbox !== undefined && sandbox !== asked.sandbox && !bySomebody) {
    const text = `codex runs this turn with the sandbox ${sandbox} instead of ${asked.sandbox}`;
    const [had, has] = [FREEDOM.indexOf(asked.sandbox), FREEDOM.indexOf(sandbox)];
    if (has < 0 || has > had) more = text;
    else other.push(text);
  }
  if (approval !== undefined && approval !== "never" && !/approval|yolo/.test(args)) {
    other.push(`codex runs this turn with the approval policy ${approval} instead of never`);
  }
  const modelAsked = asked.model !== undefined && !/(?:^| )(?:-m|--model|-c ?model=)/.test(args);
  if (modelAsked && model !== undefined && model !== asked.model) {
    other.push(`codex runs this turn with the model ${model} instead of ${asked.model}`);
  }
  const { cwd } = granted;
  if (cwd !== undefined && ![asked.cwd, asked.workspace].map(plain).includes(plain(cwd))) {
    other.push(`codex runs this turn in ${cwd} instead of ${asked.cwd}`);
  }
  return { more, other };
}

function plain(path: string): string {
  return resolve("/", path);
}
