/**
 * The proof that no import is silently `any`.
 *
 * Deno gives an import without usable types the type `any` (more exactly TypeScript's error type)
 * and says nothing; deep imports of some npm packages end there. So for every name the source
 * imports from a package, a module is generated in which using that name wrongly must be an error:
 * `// @ts-expect-error` is itself reported when the name is `any`, because `any` fits everywhere.
 */

/** One import of something that is not a file of this project. */
export interface PackageImport {
  /** The statement as written, with the `@ts-types` line above it if there is one. */
  statement: string;
  specifier: string;
  /** The types to try: `typeof name` for values, `name` for types. */
  types: string[];
  /** The file that has it. */
  file: string;
}

const STATEMENT = new RegExp(
  String.raw`^(?<tsTypes>// @ts-types=.*\n)?(?<keyword>import|export)(?<type> type)? ` +
    String
      .raw`(?<what>(?:[\w$]+, )?(?:\{[^}]*\}|\*(?: as [\w$]+)?)|[\w$]+) from "(?<specifier>[^"]+)"`,
  "gm",
);
const DYNAMIC = /\bimport\(\s*"(?<specifier>[\w@./:-]+)"\s*\)/g;

/** The package imports in a module's text, as `deno fmt` leaves it. */
export function packageImports(file: string, text: string): PackageImport[] {
  const found: PackageImport[] = [];
  for (const { groups = {} } of text.matchAll(STATEMENT)) {
    const { tsTypes = "", type, what = "", specifier = "" } = groups;
    if (!isPackage(specifier)) continue;
    const statement = `${tsTypes}import${type ?? ""} ${importable(what)} from "${specifier}";`;
    const types = names(importable(what)).map(({ name, isType }) =>
      isType || type !== undefined && !what.startsWith("*") ? name : `typeof ${name}`
    );
    found.push({ statement, specifier, types, file });
  }
  for (const { groups = {} } of text.matchAll(DYNAMIC)) {
    const { specifier = "" } = groups;
    if (!isPackage(specifier)) continue;
    const statement = `const load = () => import("${specifier}");`;
    found.push({ statement, specifier, types: ["Awaited<ReturnType<typeof load>>"], file });
  }
  return found;
}

/** Not one of our files, and not of the runtime, whose types Deno has built in. */
function isPackage(specifier: string): boolean {
  return !/^(?:\.|\/|node:|file:)/.test(specifier);
}

/** What an import statement can say for the same thing (`export *` becomes a namespace). */
function importable(what: string): string {
  return what === "*" ? "* as everything" : what;
}

/** The local names a clause brings in: `a, { b, type c as d }`, `* as e`. */
function names(clause: string): { name: string; isType: boolean }[] {
  return clause.replace(/[{}]/g, ",").split(",").map((part) => part.trim()).filter(Boolean)
    .map((part) => {
      const isType = part.startsWith("type ");
      const name = (isType ? part.slice(5) : part).split(" as ").at(-1) ?? part;
      return { name: name.trim(), isType };
    });
}

/**
 * A module that type-checks exactly when none of the imports is `any`. It must be put in a folder of
 * its own: each import gets a file, because two may bring in the same name.
 */
export function proof({ statement, specifier, types, file }: PackageImport): string {
  const probes = types.map((type, index) =>
    `// @ts-expect-error ${type} from "${specifier}" in ${file} is "any" if this is unused\n` +
    `export const probe${index}: Nothing = give<${type}>();\n`
  );
  return `${statement}\ndeclare const nothing: unique symbol;\n` +
    `type Nothing = { [nothing]: never };\ndeclare function give<T>(): T;\n${probes.join("")}`;
}
