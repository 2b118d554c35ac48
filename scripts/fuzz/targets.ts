/** All fuzz targets, by name. */
import { codexLines } from "./codex_lines.ts";
import { configText } from "./config_text.ts";
import { consume } from "./consume.ts";
import { executableFrames } from "./executable_frames.ts";
import { hostFrames } from "./host_frames.ts";
import { mcpLink } from "./mcp_link.ts";
import { rolloutBytes } from "./rollout_bytes.ts";
import type { Target } from "./target.ts";

/** In the order of the table. */
export const TARGETS: readonly Target[] = [
  hostFrames,
  executableFrames,
  codexLines,
  rolloutBytes,
  consume,
  mcpLink,
  configText,
];
