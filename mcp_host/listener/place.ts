import type { Door } from "./door.ts";

/** Where relays of the turn arrive, and how codex comes to start them. */
export interface Place {
  /** Absent where registering failed. */
  door?: Door;
  serverName: string;
  /** For `-c`; absent where codex's config has it already. */
  command?: readonly string[];
  /** Why there is no door. */
  fault?: string;
  /** Variables that the `-c` values must set, because codex's config has others. */
  env?: Record<string, string>;
}
