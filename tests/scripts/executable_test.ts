import { strict as assert } from "node:assert";
import type { Build } from "../../scripts/build.ts";
import { NoBaseError } from "../../scripts/compile.ts";
import { bundleUnderDeno, prepare } from "../../scripts/executable.ts";
import { PERMISSIONS } from "../support/permissions.ts";
import { VERSION } from "../../scripts/project.ts";
import { executable } from "../support/checkout.ts";

const bundleOnly: Build = { version: "1", commit: "c", sources: "s" };
const whole: Build = {
  ...bundleOnly,
  executable: { base: "download", bytes: 1, sha256: "0" },
};
const never = () => Promise.reject(new Error("built although it was up to date"));

Deno.test("executable is not built again while the sources are the same", async () => {
  const { command, args, compiled } = await prepare(whole, never);
  assert.deepEqual([args, compiled], [[], true]);
  assert.match(command, /\/dist\/plexum-openai-provider-plugin$/);
});

Deno.test("executable is the bundle under the same permissions where no base can be had", async () => {
  const said: unknown[] = [];
  const { error } = console;
  console.error = (...words: unknown[]) => void said.push(...words);
  try {
    const found = await prepare(undefined, () => Promise.reject(new NoBaseError("no base here")));
    assert.equal(found.command, Deno.execPath());
    assert.equal(found.compiled, false);
    assert.equal(found.args[0], "run");
    for (const flag of PERMISSIONS) assert(found.args.includes(flag), flag);
    assert.match(found.args.at(-1) ?? "", /\/dist\/bundle\/main\.mjs$/);
    assert.match(said.join("\n"), /no base here\nRunning the bundle with Deno instead/);
    assert.deepEqual(await prepare(bundleOnly, never), found);
  } finally {
    console.error = error;
  }
});

Deno.test("executable passes on why a build failed", async () => {
  await assert.rejects(
    () => prepare(undefined, () => Promise.reject(new Error("broken"))),
    /broken/,
  );
});

Deno.test("executable and the bundle under Deno are the same program", async () => {
  const answers = [];
  for (const { command, args } of [await executable(), bundleUnderDeno()]) {
    const asked = new Deno.Command(command, { args: [...args, "--version", "--json"] });
    const { code, stdout } = await asked.output();
    const { version, commit } = JSON.parse(new TextDecoder().decode(stdout));
    answers.push({ code, version, commit });
  }
  assert.deepEqual(answers[0], answers[1]);
  assert.equal(answers[0]?.version, VERSION);
});
