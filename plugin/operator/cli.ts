/**
 * The commands a person types, one table: what each is called, what it does, who carries it out.
 *
 * @module
 */
import { closestMatch } from "leven";
import { EXECUTABLE_NAME } from "../protocol.ts";
import { EXIT } from "./exit.ts";

/** A command of the executable. */
interface Command {
  /** Shown after the name in `--help`. */
  usage: string;
  summary: string;
  run(args: string[]): Promise<number>;
}

const COMMANDS: Record<string, Command> = {
  manifest: {
    usage: "",
    summary: "print the manifest that the host reads",
    run: async () => (await import("./manifest_command.ts")).printManifest(),
  },
  "mcp-host": {
    usage: "[--socket PATH] [--agent-id ID]",
    summary: "what codex starts to reach the host's tools",
    run: async (args) => (await import("../../mcp_host/relay.ts")).relay(args),
  },
};

/** Runs one command and returns the exit code. */
export async function runCommand(name: string, args: string[]): Promise<number> {
  switch (name) {
    case "--version":
    case "-V":
      return (await import("./version_command.ts")).printVersion(args.includes("--json"));
    case "--help":
    case "-h":
    case "help":
      print(help());
      return EXIT.ok;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command !== undefined) return await command.run(args);
  const nearest = closestMatch(name, [...Object.keys(COMMANDS), "--version", "--help"], {
    maxDistance: 4,
  });
  complain(
    `unknown command ${JSON.stringify(name)}` +
      (nearest === undefined ? "" : `, did you mean ${JSON.stringify(nearest)}?`) +
      ` See ${EXECUTABLE_NAME} --help.`,
  );
  return EXIT.usage;
}

/** Writes a line to stdout; a reader that has gone (`| head`) is no error. */
export function print(text: string): void {
  try {
    Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** Writes a line to stderr. */
export function complain(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text + "\n"));
}

function help(): string {
  const rows = Object.entries(COMMANDS)
    .map(([name, { usage, summary }]) => [`${name} ${usage}`.trim(), summary] as const);
  rows.unshift(["", "serve a Plexum host over stdin and stdout"]);
  rows.push(["--version [--json]", "print the version"], ["--help", "print this"]);
  const width = Math.max(...rows.map(([left]) => left.length));
  const lines = rows.map(([left, right]) => `  ${EXECUTABLE_NAME} ${left.padEnd(width)}  ${right}`);
  return `The Plexum provider plugin for OpenAI Codex.\n\n${lines.join("\n")}`;
}
