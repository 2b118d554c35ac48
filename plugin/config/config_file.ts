/**
 * The configuration while the plugin runs: a changed file takes effect at the next turn, a broken
 * one keeps the last good one.
 *
 * @module
 */
import { loadConfig } from "./config.ts";
import { stampOf } from "../../base/files.ts";
import { errorMessage } from "../../base/error_message.ts";
import type { Config } from "./config_schema.ts";

/** The configuration file of a running plugin. */
export class ConfigFile {
  readonly path: string;
  readonly #warn: (message: string) => void;
  #config: Config | undefined;
  #stamp: string | undefined;

  constructor(path: string, warn: (message: string) => void) {
    this.path = path;
    this.#warn = warn;
  }

  /**
   * Reads the file now, whatever was read before.
   * @throws {import("./config_error.ts").ConfigError} and keeps the last good configuration.
   */
  load(): Config {
    const stamp = stampOf(this.path);
    const { config, warnings } = loadConfig(this.path);
    this.#config = config;
    this.#stamp = stamp;
    warnings.forEach(this.#warn);
    return config;
  }

  /** The configuration for the next turn; looks at the file's time and size, not into it. */
  current(): Config {
    const stamp = stampOf(this.path);
    if (this.#config !== undefined && stamp === this.#stamp) return this.#config;
    try {
      return this.load();
    } catch (error) {
      if (this.#config === undefined) throw error;
      this.#stamp = stamp; // Said once per change.
      this.#warn(
        `${errorMessage(error)}; the last good one stays in use`,
      );
      return this.#config;
    }
  }
}
