import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { ROOT } from "../../../support/checkout.ts";

interface Dependency {
  code?: { specifier: string };
  isDynamic?: boolean;
}

Deno.test("the command line is told before anything big is loaded: --version waits for no schema", () => {
  const { success, stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", join(ROOT, "plugin", "operator", "cli", "cli.ts")],
    cwd: ROOT,
  }).outputSync();
  assert.ok(success, new TextDecoder().decode(stderr));
  const { roots, modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
    roots: string[];
    modules: { specifier: string; dependencies?: Dependency[] }[];
  };
  const loaded = new Set(roots);
  for (const specifier of loaded) {
    const module = modules.find((module) => module.specifier === specifier);
    for (const { code, isDynamic } of module?.dependencies ?? []) {
      if (code !== undefined && !isDynamic) loaded.add(code.specifier);
    }
  }
  const packages = [...loaded].flatMap((specifier) =>
    /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(specifier)?.[1] ?? []
  );
  assert.deepEqual([...new Set(packages)], ["leven"]);
});
