/**
 * How long each face of the executable takes to start, against a program of one line compiled on
 * the same base (the floor). Interleaved, so that all of them see the same machine.
 *
 * A host waits for the answer to `initialize`; everything else is timed until its process has ended.
 */
import { join } from "@std/path";
import { compile } from "../../compile.ts";
import { executable } from "../../../tests/support/checkout.ts";
import { ratio, report } from "./figures/figure.ts";

const ROUNDS = 31;
const FRAME = new TextEncoder().encode('{"jsonrpc":"2.0","id":1,"method":"initialize"}\n');

/** What is started, and what it is asked on stdin before its first output is awaited. */
interface Program {
  command: string;
  args: string[];
  ask?: Uint8Array;
}

/** From the start of the process to its end, or to the first bytes that answer `ask`. */
async function milliseconds({ command, args, ask }: Program, env: Record<string, string>) {
  const started = performance.now();
  const child = new Deno.Command(command, {
    args,
    env,
    stdin: ask === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  if (ask === undefined) {
    await child.output();
    return performance.now() - started;
  }
  const input = child.stdin.getWriter();
  await input.write(ask);
  const output = child.stdout.getReader();
  await output.read();
  const answered = performance.now() - started;
  await input.close();
  while (!(await output.read()).done);
  await child.status;
  return answered;
}

const ours = await executable();
const folder = Deno.makeTempDirSync();
try {
  const hello = join(folder, "hello");
  Deno.writeTextFileSync(join(folder, "main.mjs"), 'console.log("hello");\n');
  await compile({ bundle: folder, output: hello });
  const face = (...args: string[]): Program => ({
    command: ours.command,
    args: [...ours.args, ...args],
  });
  const floor: Program = { command: hello, args: [] };
  const programs: Record<string, Program> = {
    "`initialize` answered": { ...face(), ask: FRAME },
    "`--version`": face("--version"),
    "`manifest`": face("manifest"),
  };
  const env = { ...Deno.env.toObject(), PLEXUM_PROFILE_ROOT: folder };
  const floors: number[] = [];
  const times = new Map(Object.keys(programs).map((name) => [name, [] as number[]]));
  for (let round = 0; round < ROUNDS; round++) {
    floors.push(await milliseconds(floor, env));
    for (const [name, program] of Object.entries(programs)) {
      times.get(name)?.push(await milliseconds(program, env));
    }
  }
  report([...times].map(([name, values]) =>
    ratio({
      ...{ question: "start, against a program of one line", name, ours: values, theirs: floors },
      ...(name.startsWith("`initialize`") ? { goal: 2 } : {}),
    })
  ));
} finally {
  Deno.removeSync(folder, { recursive: true });
}
