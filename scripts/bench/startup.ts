/**
 * How long the executable takes to start and end, against a program of one line compiled the same
 * way (the floor), interleaved so that both see the same machine.
 */
import { join } from "@std/path";
import { compile } from "../compile.ts";
import { executable } from "../executable.ts";

const ROUNDS = 30;

async function milliseconds(command: string, args: string[]): Promise<number> {
  const started = performance.now();
  await new Deno.Command(command, { args, stdin: "null" }).output();
  return performance.now() - started;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

const ours = await executable();
const folder = Deno.makeTempDirSync();
try {
  const hello = join(folder, "hello");
  Deno.writeTextFileSync(join(folder, "main.mjs"), 'console.log("hello");\n');
  await compile({ bundle: folder, output: hello });
  const programs: Record<string, [string, string[]]> = {
    "hello (the floor)": [hello, []],
    "--version": [ours.command, [...ours.args, "--version"]],
    "manifest": [ours.command, [...ours.args, "manifest"]],
  };
  const times: Record<string, number[]> = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, [command, args]] of Object.entries(programs)) {
      (times[name] ??= []).push(await milliseconds(command, args));
    }
  }
  const floor = median(times["hello (the floor)"] ?? []);
  for (const [name, values] of Object.entries(times)) {
    const ms = median(values);
    console.log(`${name.padEnd(20)} ${ms.toFixed(1).padStart(7)} ms  ×${(ms / floor).toFixed(2)}`);
  }
} finally {
  Deno.removeSync(folder, { recursive: true });
}
