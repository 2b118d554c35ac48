/**
 * What a check of the installation looks at, and what it finds.
 *
 * @module
 */
import { type CodexBinary, findCodex } from "../../../runner/codex/codex_binary.ts";
import { codexEnvironment, codexHome } from "../../../runner/codex/environment.ts";
import { TurnError } from "../../../runner/turn_event.ts";
import type { Config } from "../../config/config_schema.ts";
import { agentEnv } from "../../config/settings.ts";
import type { ProfilePaths } from "../../profile.ts";
import { shellWord } from "../cli/terminal.ts";

/** `fail`: turns do not work; `warn`: they do, but somebody should know; `skipped`: not looked at. */
export type Status = "ok" | "warn" | "fail" | "skipped";

/** What one check found. None of it is secret. */
export interface Finding {
  status: Status;
  /** One line. */
  summary: string;
  /** More about it, e.g. where was looked; one thing a line. */
  detail?: string;
  /** What to do about it, as a sentence. */
  remedy?: string;
  /** Does it, typed into a shell as it stands. */
  command?: string;
}

/** What checks are about, in the order in which one would look. */
export const GROUPS = ["plugin", "codex", "machine", "turns"] as const;

/** A check with its stable name. */
export interface Check {
  id: string;
  group: typeof GROUPS[number];
  /** Without these there is nothing to look at: one cause is one failure. */
  needs?: readonly string[];
  run(context: DoctorContext): Finding | Promise<Finding>;
}

/** What is known before anything is looked at. */
export interface DoctorFacts {
  paths: ProfilePaths;
  /** The configuration, or all defaults where it cannot be used. */
  config: Config;
  /** Why the configuration cannot be used. */
  configError: string | undefined;
  configWarnings: readonly string[];
  /** The plugin's environment. */
  environment: Record<string, string>;
  runtimeDirectory: string;
  /** How to start this program. */
  executable: readonly string[];
  /** `--profile`, as it was typed. */
  namedProfile: string | undefined;
  /** Says what is going on in a check that takes its time. */
  progress: (doing: string) => void;
}

/** What the checks look at. */
export class DoctorContext {
  #codex: Promise<CodexBinary | TurnError> | undefined;

  constructor(readonly facts: DoctorFacts) {}

  /** The codex of the configuration, or what is wrong with it. */
  codex(): Promise<CodexBinary | TurnError> {
    return this.#codex ??= findCodex(this.facts.config.binary, this.codexEnvironment())
      .catch((error: unknown) => {
        if (error instanceof TurnError) return error;
        throw error;
      });
  }

  /** The same for checks that are only made where there is one. */
  async usableCodex(): Promise<CodexBinary> {
    const codex = await this.codex();
    if (codex instanceof TurnError) throw codex;
    return codex;
  }

  /** The environment that a turn's codex gets; of an agent's turn, with what the agent's own adds. */
  codexEnvironment(
    codex: Pick<CodexBinary, "env" | "pathDirectory"> = { env: {}, pathDirectory: undefined },
    agentId = "",
  ): Record<string, string> {
    const { environment, config } = this.facts;
    return codexEnvironment(environment, agentEnv(config, agentId), codex);
  }

  /** Where codex keeps its sessions and its login, for an agent's turns. */
  codexHome(agentId = ""): string {
    return codexHome(this.codexEnvironment(undefined, agentId));
  }

  /** A command of this executable, for a shell. */
  command(...words: string[]): string {
    const { executable, namedProfile, paths } = this.facts;
    const profile = namedProfile === undefined ? [] : ["--profile", paths.profile];
    return [...executable, ...words, ...profile].map(shellWord).join(" ");
  }

  /** The command that explains a topic. */
  help(topic: string): string {
    return [...this.facts.executable, "help", topic].map(shellWord).join(" ");
  }

  /** A command of the codex that an agent's turns run, for a shell. */
  codexCommand(agentId: string, codex: string, ...words: string[]): string {
    const home = this.codexHome(agentId);
    const isNamed = home !== codexHome({ HOME: this.facts.environment.HOME ?? "" });
    return (isNamed ? `CODEX_HOME=${shellWord(home)} ` : "") +
      [codex, ...words].map(shellWord).join(" ");
  }
}

/** Everything is as it should be. */
export function ok(summary: string, detail?: string): Finding {
  return { status: "ok", summary, detail };
}

/** Turns work, but somebody should know. */
export function warn(summary: string, more: Omit<Finding, "status" | "summary">): Finding {
  return { status: "warn", summary, ...more };
}

/** Turns do not work. */
export function fail(summary: string, more: Omit<Finding, "status" | "summary">): Finding {
  return { status: "fail", summary, ...more };
}

/** Tried, not guessed: the owner's bits say nothing about a read-only file system. */
export function isWritable(directory: string): boolean {
  try {
    Deno.removeSync(Deno.makeTempFileSync({ dir: directory, prefix: ".plexum-doctor-" }));
    return true;
  } catch {
    return false;
  }
}
