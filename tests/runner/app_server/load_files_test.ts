/** Which files a load reads, by what codex says of its configuration. */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import {
  configurationFiles,
  configuredFiles,
  projectFiles,
  stampsOf,
} from "../../../runner/app_server/load_files.ts";

const NOTHING = configuredFiles(undefined);

async function inTree(test: (root: string) => Promise<void> | void): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    await test(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("configured files are the absolute paths under a name that says so, at any depth", () => {
  const { named } = configuredFiles({
    model_instructions_file: "/h/all.md",
    experimental_compact_prompt_file: null,
    agents: { role: { config_file: "/h/role.toml", description: "/h/none.md" } },
    project_doc_fallback_filenames: ["/h/none.md"],
    relative_file: "none.md",
  });
  assert.deepEqual(named, ["/h/all.md", "/h/role.toml"]);
});

Deno.test("configured files are codex's own where it says nothing, or what cannot be read", () => {
  assert.deepEqual(NOTHING, { rootMarkers: [".git"], fallbackNames: [], trusts: false, named: [] });
  const strange = { project_root_markers: 1, projects: [], project_doc_fallback_filenames: ["N"] };
  assert.deepEqual(configuredFiles(strange), { ...NOTHING, fallbackNames: ["N"] });
});

Deno.test("project files are those from the project's root down to the working directory", () =>
  inTree((root) => {
    const cwd = join(root, "a", "b");
    Deno.mkdirSync(cwd, { recursive: true });
    Deno.writeTextFileSync(join(root, "a", "Makefile"), "");
    const input = { codexHome: "/h", cwd, trustWorkspace: false };
    const docs = (markers: string[]) =>
      projectFiles(input, { ...NOTHING, rootMarkers: markers, fallbackNames: ["NOTES.md"] });
    const names = ["AGENTS.override.md", "AGENTS.md", "NOTES.md"];
    const within = (...dirs: string[]) =>
      dirs.flatMap((dir) => names.map((name) => join(dir, name)));
    assert.deepEqual(docs(["Makefile"]), within("/h", cwd, join(root, "a")));
    assert.deepEqual(docs(["no such marker"]), within("/h", cwd));
    assert.deepEqual(docs([]), within("/h", cwd));
  }));

Deno.test("project files have the settings of a project that is trusted, and of no other", () =>
  inTree((root) => {
    Deno.mkdirSync(join(root, ".codex", "rules"), { recursive: true });
    Deno.writeTextFileSync(join(root, ".codex", "rules", "own.rules"), "");
    const has = (trustWorkspace: boolean, config: unknown) =>
      projectFiles({ codexHome: "/h", cwd: root, trustWorkspace }, configuredFiles(config))
        .filter((path) => path.startsWith(join(root, ".codex")));
    assert.deepEqual(has(false, { projects: { "/p": { trust_level: "untrusted" } } }), []);
    const settings = ["config.toml", "hooks.json", "rules/own.rules"]
      .map((name) => join(root, ".codex", name));
    assert.deepEqual(has(true, {}), settings);
    assert.deepEqual(has(false, { projects: { "/p": { trust_level: "trusted" } } }), settings);
  }));

Deno.test("stamps differ where a file comes, changes or goes", () =>
  inTree((root) => {
    const file = join(root, "config.toml");
    const look = () => stampsOf(configurationFiles({ codexHome: root }));
    const seen = [look()];
    for (const text of ["a", "ab"]) {
      Deno.writeTextFileSync(file, text);
      seen.push(look());
    }
    assert.equal(new Set(seen).size, 3);
    Deno.removeSync(file);
    assert.equal(look(), seen[0]);
  }));
