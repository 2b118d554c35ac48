/**
 * All fuzz targets. Each is loaded only where it runs: what they test takes a second to load.
 */
import type { Target } from "./target.ts";

/** A target before it is loaded. */
export interface TargetEntry {
  name: string;
  /** What is fed with what, for the table. */
  about: string;
  /** How many of its cases stand for one of the others: expensive targets get fewer. */
  share: number;
  load(): Promise<Target>;
}

/** In the order of the table. */
export const TARGETS: readonly TargetEntry[] = [
  {
    name: "host",
    about: "host frames into base/jsonrpc/peer.ts, session.ts and provider.ts",
    share: 3,
    load: async () => (await import("./host_frames.ts")).hostFrames,
  },
  {
    name: "executable",
    about: "host frames and codex output into the compiled executable, one process",
    share: 0.02,
    load: async () => (await import("./executable_frames.ts")).executableFrames,
  },
  {
    name: "codex",
    about: "stdout JSONL and rollout records into runner/exec/wire.ts, turn_output.ts, verdict.ts",
    share: 4,
    load: async () => (await import("./codex_lines.ts")).codexLines,
  },
  {
    name: "server",
    about: "lines of an app-server into runner/app_server/rpc.ts, turn_wire.ts and turn_output.ts",
    share: 4,
    load: async () => (await import("./server_lines.ts")).serverLines,
  },
  {
    name: "rollout",
    about: "bytes on disk into rollout/scan.ts, line_kind.ts, records.ts, follow.ts, report/",
    share: 2,
    load: async () => (await import("./rollout_bytes.ts")).rolloutBytes,
  },
  {
    name: "consume",
    about: "session edits on any rollout: rollout/consume/consume.ts, plan.ts, splice.ts, edit.ts",
    share: 1,
    load: async () => (await import("./consume.ts")).consume,
  },
  {
    name: "link",
    about:
      "connections to a turn's socket: mcp_host/listener/listener.ts, hello.ts and server/mcp_server.ts",
    share: 1,
    load: async () => (await import("./mcp_link.ts")).mcpLink,
  },
  {
    name: "config",
    about: "JSONC text into plugin/config/config.ts and what turns are made of it",
    share: 4,
    load: async () => (await import("./config_text.ts")).configText,
  },
];
