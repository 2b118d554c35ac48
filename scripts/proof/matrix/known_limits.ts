/**
 * What some versions of codex cannot do: the one place that says so. A cell of a known limit does not
 * just forgive a failure, it plays what the plugin promises instead; when that is no longer seen
 * (worse, or because the limit is gone), the cell fails.
 */
import { compareVersions } from "../../../runner/codex/capabilities.ts";
import { noAsyncMessage } from "./agents.ts";
import { besideAnother } from "./busy.ts";
import { refusedWithoutName } from "./edges.ts";
import { plainTools, scriptedHostTool, searchedTool } from "./host_tools.ts";
import { otherProvider, providerNotFound } from "./machine.ts";
import type { Play } from "./run.ts";
import { unreadableSession } from "./threads.ts";
import type { Transport } from "../../../tests/support/lab.ts";

/** One limit of codex. */
export interface KnownLimit {
  /** Short, for the table's cells. */
  id: string;
  scenario: string;
  /** The transport that has it; both when left out. */
  transport?: Transport;
  /** First version that has it; all old ones when left out. */
  since?: string;
  /** First version that no longer has it; still there when left out. */
  before?: string;
  /** What codex does, and what the plugin promises instead. */
  reason: string;
  instead: Play;
}

/** Every known limit. */
export const KNOWN_LIMITS: readonly KnownLimit[] = [
  {
    id: "deferred",
    scenario: "host-tool",
    since: "0.142.1",
    before: "0.147.0",
    reason: "codex hides MCP tools from the model until it searches for them, and has no setting " +
      "against it; seen from 0.142.3 to 0.146.1. The model finds host tools with codex's `tool_search`, and they then work as " +
      "everywhere.",
    instead: searchedTool,
  },
  {
    id: "no code mode",
    scenario: "code-mode",
    before: "0.144.0",
    reason: "no model of this codex runs in code mode. A model of that name gets codex's plain " +
      "tools, and host tools beside them.",
    instead: plainTools,
  },
  {
    id: "script only",
    scenario: "code-mode",
    since: "0.144.0",
    before: "0.148.0",
    reason: "codex hides MCP tools from the model, but scripts can call them. The host runs them " +
      "and gets no call id, because codex records none; the script's own call is told.",
    instead: scriptedHostTool,
  },
  {
    id: "no name",
    scenario: "refused-content",
    before: "0.145.0",
    reason:
      "codex hands on the words of a refusal for security's sake (`cyber_policy`) without its " +
      "name. The host gets a `server_error` with these words.",
    instead: refusedWithoutName,
  },
  {
    id: "no lock",
    scenario: "busy-session",
    before: "0.148.0",
    reason:
      "codex has no writer lock, so nobody can tell that another codex has the thread open. " +
      "Both run, and what each one says is kept. Turns of one plugin still run one by one.",
    instead: besideAnother,
  },
  {
    id: "not read",
    scenario: "compressed-session",
    before: "0.148.0",
    reason:
      "codex cannot read a session file that a newer codex has compressed. The plugin refuses " +
      "the turn with these words (`codex_too_old`), and the file stays as it is.",
    instead: unreadableSession,
  },
  {
    id: "no such tool",
    scenario: "async-message",
    before: "0.171.0",
    reason: "codex offers its models no `send_message_to_user_async`, and refuses the call. The " +
      "turn goes on to its answer.",
    instead: noAsyncMessage,
  },
  {
    id: "goes on",
    scenario: "renamed-provider",
    transport: "exec",
    before: "0.166.0",
    reason:
      "codex goes on with the provider that is configured now. So does the turn, in the same thread.",
    instead: otherProvider,
  },
  {
    id: "codex's words",
    scenario: "renamed-provider",
    transport: "app-server",
    before: "0.166.0",
    reason: "codex says that the provider was not found, not what can be done. The host gets " +
      "`config` with these words.",
    instead: providerNotFound,
  },
];

/** The limit of a cell, if it has one. */
export function knownLimit(
  scenario: string,
  version: string,
  transport: Transport = "exec",
): KnownLimit | undefined {
  return KNOWN_LIMITS.find((limit) =>
    limit.scenario === scenario && (limit.transport ?? transport) === transport &&
    (limit.since === undefined || compareVersions(version, limit.since) >= 0) &&
    (limit.before === undefined || compareVersions(version, limit.before) < 0)
  );
}
