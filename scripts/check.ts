/**
 * `deno task check`: format, lint, types, lock, docs, the proof that no import is `any`, and that the
 * picture of the rooms in docs/architecture.md is true.
 * Every step runs, whatever the ones before it said; the same verdict on every supported Deno.
 */
import { existsSync } from "node:fs";
import { join, relative } from "@std/path";
import { complaints, counts } from "./doc_lint.ts";
import { packageImports, proof } from "./import_types.ts";
import { ROOT } from "./project.ts";
import { picture, roomsOf, wrongArrows } from "./rooms.ts";

/** Folders and files with the program itself, without scripts and tests. */
const PROGRAM = ["main.ts", "base", "plugin", "runner", "rollout", "mcp_host"];

/** The files of git's view of the tree that are TypeScript: tracked, or new and not ignored. */
function typescript(): string[] {
  const listed = new Deno.Command("git", {
    args: ["ls-files", "--cached", "--others", "--exclude-standard", "*.ts"],
    cwd: ROOT,
  }).outputSync();
  const files = new TextDecoder().decode(listed.stdout).split("\n").filter(Boolean);
  return files.filter((file) => exists(file) && !file.startsWith("tests/fixtures/")).sort();
}

function exists(path: string): boolean {
  return existsSync(join(ROOT, path));
}

/** Runs Deno; the result is what it said, or undefined when it was content. */
async function deno(...args: string[]): Promise<string | undefined> {
  const { RUST_BACKTRACE: _, RUST_LIB_BACKTRACE: __, ...env } = Deno.env.toObject();
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: { ...env, NO_COLOR: "1" },
    clearEnv: true,
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (success) return undefined;
  const said = `${decoder.decode(stdout)}${decoder.decode(stderr)}`;
  return said.replace(/^(?:Check|Download) .*\n/gm, "").trim(); // progress
}

async function docs(files: string[]): Promise<string | undefined> {
  const said = await deno("doc", "--lint", ...files.filter((file) => !file.startsWith("tests/")));
  if (said === undefined) return undefined;
  const all = complaints(said);
  if (all.length === 0) return said; // it failed for another reason
  const lines = all.filter((complaint) => counts(complaint, Deno.readTextFileSync(complaint.path)))
    .map(({ rule, path, line }) => `${relative(ROOT, path)}:${line}: ${rule}`);
  return lines.length === 0 ? undefined : lines.join("\n");
}

/** What the page's picture of the rooms has wrong. */
function rooms(files: string[]): string | undefined {
  const read = (path: string) => Deno.readTextFileSync(join(ROOT, path));
  const real = roomsOf(files.map((file): [string, string] => [file, read(file)]));
  const wrong = wrongArrows(picture(read("docs/architecture.md")), real);
  return wrong.length === 0 ? undefined : wrong.join("\n");
}

/** Checks the generated proof modules; `extra` is one more module's text, for the test. */
export async function importTypes(files: string[], extra?: string): Promise<string | undefined> {
  const imports = files.flatMap((file) =>
    packageImports(file, Deno.readTextFileSync(join(ROOT, file)))
  );
  if (extra !== undefined) imports.push(...packageImports("extra.ts", extra));
  const directory = Deno.makeTempDirSync({ prefix: "import-types-" });
  try {
    const modules = [...new Set(imports.map(proof))].map((text, index) => {
      const path = join(directory, `import_${index}.ts`);
      Deno.writeTextFileSync(path, text);
      return path;
    });
    return await deno("check", "--frozen", "--config", join(ROOT, "deno.json"), ...modules);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

if (import.meta.main) {
  const files = typescript();
  const program = PROGRAM.filter(exists);
  const steps: Record<string, () => Promise<string | undefined>> = {
    "lock, packages": () => deno("install", "--frozen"),
    "format": () => deno("fmt", "--check"),
    "lint": () => deno("lint"),
    // Standard output belongs to the host's protocol, so the program never uses console.
    "lint program": () => deno("lint", "--rules-include=no-console", ...program),
    "types": () => deno("check", "--frozen", ...files),
    "imports are typed": () => importTypes(files),
    "rooms": () => Promise.resolve(rooms(files)),
    "docs": () => docs(files),
  };
  let failures = 0;
  for (const [name, step] of Object.entries(steps)) {
    const started = performance.now();
    const trouble = await step();
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`${trouble === undefined ? "ok    " : "FAILED"} ${name.padEnd(18)} ${seconds} s`);
    if (trouble === undefined) continue;
    failures++;
    console.log(trouble.replace(/^/gm, "       "));
  }
  console.log(
    failures === 0 ? "check: ok" : `check: ${failures} of ${Object.keys(steps).length} failed`,
  );
  Deno.exit(failures === 0 ? 0 : 1);
}
