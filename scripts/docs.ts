/**
 * `deno task docs`: writes what is generated in docs/; `--check` only says whether it is up to date.
 *
 * A generated part of a page stands between `<!-- generated: NAME -->` and `<!-- end -->`.
 */
import { dirname, join } from "@std/path";
import { readIfThere } from "../base/files.ts";
import { EXIT_MEANINGS } from "../plugin/operator/cli/command.ts";
import { charts, inBrief, questionTable, readLast } from "./proof/bench/figures/page.ts";
import { MAN_PAGE, manPage } from "./man.ts";
import { type ConfigOption, configOptions } from "../plugin/operator/setup/config_reference.ts";
import { ROOT } from "./project.ts";
import { schemaFiles } from "./schema.ts";
import { table } from "./table.ts";

/** Pages with generated parts. */
const PAGES = ["docs/configuration.md", "docs/operators.md", "docs/performance.md", "README.md"];

/** Parts by name; what stands behind `NAME: ` is the part's subject. */
const PARTS: Readonly<Record<string, (subject: string) => string>> = {
  "option table": optionTable,
  "figures": (question) => questionTable(readLast(), question),
  "figures in brief": () => inBrief(readLast()),
  "exit codes": () => table(["Code", "Meaning"], EXIT_MEANINGS),
};

/** Every generated file of docs/ as it should be, by its path in the repository. */
export async function generated(): Promise<Map<string, string>> {
  const files = new Map([[MAN_PAGE, manPage()], ...schemaFiles(), ...charts(readLast())]);
  for (const page of PAGES) {
    files.set(page, await formatted(fill(Deno.readTextFileSync(join(ROOT, page)), page)));
  }
  return files;
}

/** Those that are not as they should be. */
export async function stale(): Promise<string[]> {
  return [...await generated()].filter(([path, text]) => readIfThere(join(ROOT, path)) !== text)
    .map(([path]) => path);
}

/** The page with its generated parts made anew. Throws for a part that nobody knows. */
export function fill(text: string, page: string): string {
  return text.replace(
    /(<!-- generated: ([^>]*) -->\n)[^]*?(<!-- end -->)/g,
    (_, begin: string, name: string, end: string) => {
      const [kind = "", subject = ""] = name.split(": ");
      const part = Object.hasOwn(PARTS, kind) ? PARTS[kind] : undefined;
      if (part === undefined) throw new Error(`${page}: there is no generated part "${name}"`);
      return `${begin}\n${part(subject)}\n\n${end}`;
    },
  );
}

/** As `deno fmt` would have it, which lines up the columns of tables. */
async function formatted(markdown: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext=md", "-"],
    cwd: ROOT,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(markdown));
  await writer.close();
  const { success, stdout } = await child.output();
  if (!success) throw new Error("deno fmt does not take a generated page");
  return new TextDecoder().decode(stdout);
}

/** The options of `config.json`, from its schema. */
function optionTable(): string {
  return table(
    ["Option", "Type", "Default", "What it does"],
    configOptions().map((option) => [
      ...[`\`${option.path.join(".")}\``, cell(option.type)],
      ...[defaultOf(option), cell(option.description)],
    ]),
  );
}

function defaultOf({ default: value, group }: ConfigOption): string {
  const inItsOptions = group && Object.keys(Object(value)).length > 0;
  return value === undefined || inItsOptions ? "" : `\`${cell(JSON.stringify(value))}\``;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

if (import.meta.main) {
  if (Deno.args.includes("--check")) {
    const paths = await stale();
    for (const path of paths) console.log(`${path} is not up to date: deno task docs`);
    Deno.exit(paths.length === 0 ? 0 : 1);
  }
  const files = await generated();
  for (const path of await stale()) {
    Deno.mkdirSync(dirname(join(ROOT, path)), { recursive: true });
    Deno.writeTextFileSync(join(ROOT, path), files.get(path) ?? "");
    console.log(`wrote ${path}`);
  }
}
