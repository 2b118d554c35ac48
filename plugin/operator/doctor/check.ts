/**
 * What a check of the installation finds, and what it gets to look at.
 *
 * @module
 */
import type { Config } from "../../config/config_schema.ts";
import type { ProfilePaths } from "../../profile.ts";

/** `fail`: turns do not work; `warn`: they do, but somebody should know. */
export type Status = "ok" | "warn" | "fail";

/** What one check found. None of it is secret. */
export interface Finding {
  status: Status;
  /** One line. */
  summary: string;
  /** More about it, e.g. where was looked. */
  detail?: string;
  /** What to do about it. */
  remedy?: string;
}

/** A check with its stable name. */
export interface Check {
  id: string;
  run(world: World): Finding | Promise<Finding>;
}

/** What the checks look at. */
export interface World {
  paths: ProfilePaths;
  /** The plugin's environment. */
  environment: Record<string, string>;
  /** The configuration, or all defaults where it cannot be used. */
  config: Config;
  /** Why the configuration cannot be used. */
  configError: string | undefined;
  configWarnings: readonly string[];
  runtimeDirectory: string;
  /** How to start this program. */
  executable: readonly string[];
}

/** Everything is as it should be. */
export function ok(summary: string, detail?: string): Finding {
  return { status: "ok", summary, detail };
}

/** Turns work, but somebody should know. */
export function warn(summary: string, remedy: string, detail?: string): Finding {
  return { status: "warn", summary, remedy, detail };
}

/** Turns do not work. */
export function fail(summary: string, remedy: string, detail?: string): Finding {
  return { status: "fail", summary, remedy, detail };
}
