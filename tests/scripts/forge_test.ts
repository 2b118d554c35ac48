import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { ROOT } from "../../scripts/project.ts";

const DIRECTORY = join(ROOT, ".github", "workflows");

/** The commands of a workflow. */
function commands(name: string): string[] {
  const text = Deno.readTextFileSync(join(DIRECTORY, name));
  return [...text.matchAll(/^\s*(?:- )?run: (.+)$/gm)].map(([, command = ""]) => command);
}

Deno.test("the workflows call the project's own tasks, by the Deno versions it supports", () => {
  const config: { tasks: Record<string, string> } = JSON.parse(
    Deno.readTextFileSync(join(ROOT, "deno.json")),
  );
  const readme = Deno.readTextFileSync(join(ROOT, "README.md"));
  const oldest = /npx -y deno@(\S+) task demo$/m.exec(readme)?.[1];
  let tasks = 0;
  for (const { name } of Deno.readDirSync(DIRECTORY)) {
    for (const command of commands(name)) {
      const [, version, task = ""] = /npx -y deno@(\S+) task (\S+)/.exec(command) ?? [];
      if (version === undefined) continue;
      tasks++;
      assert.ok(Object.hasOwn(config.tasks, task), command);
      assert.ok(version === oldest || task === "check", command);
    }
    assert.ok(!commands(name).some((command) => /curl|wget/.test(command)), name);
  }
  assert.ok(tasks >= 3);
});

Deno.test("a workflow has no more rights than it needs", () => {
  for (const { name } of Deno.readDirSync(DIRECTORY)) {
    const text = Deno.readTextFileSync(join(DIRECTORY, name));
    assert.match(text, /^permissions:\n {2}contents: read$/m, name);
  }
});
