/**
 * The commands that look at whether all is well.
 *
 * @module
 */
import { type Command, JSON_OUTPUT, PROFILE } from "../cli/command.ts";

/** The commands, by name. */
export const DOCTOR: Readonly<Record<string, Command>> = {
  doctor: {
    summary: "check everything that a turn needs",
    details: [
      "Looks at the installation, the configuration, codex and its login, the sandbox, the socket to the host's tools, and free space. What is wrong comes first, each with what to do about it; what hangs on something else that failed is skipped. Exit code 1 when a check failed.",
      "--deep runs a real turn of the installed codex with a shell command and a host tool, against a model that is built in: no login, no network, no cost. What passed is remembered for this codex: being newer than what was tested is then no warning any more.",
    ],
    options: [
      PROFILE,
      JSON_OUTPUT,
      { name: "deep", summary: "run a whole turn, too" },
      { name: "verbose", short: "v", summary: "list also what is fine" },
    ],
    examples: [
      { line: "doctor", says: "is all well?" },
      { line: "doctor --deep --json", says: "for a script" },
    ],
    run: async (args) => (await import("./doctor_command.ts")).doctor(args),
  },
  stats: {
    summary: "print what the plugin counted since it was started",
    details: [
      "Turns, errors by kind, tokens, tool calls and consumes of the plugin process that ran last, as it left them after its last turn. Where no turn has ended yet, --json prints null.",
    ],
    options: [
      PROFILE,
      JSON_OUTPUT,
      { name: "prometheus", summary: "in Prometheus' text format" },
    ],
    examples: [
      { line: "stats", says: "how has it been?" },
      {
        line: "stats --prometheus > /var/lib/node_exporter/plexum.prom",
        says: "for node_exporter's textfile collector",
      },
    ],
    run: async (args) => (await import("./stats_command.ts")).stats(args),
  },
};
