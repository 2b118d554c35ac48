import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { parseConfig } from "../../../../plugin/config/config.ts";
import { DoctorContext } from "../../../../plugin/operator/doctor/check.ts";
import { rememberTested, TESTED_CHECK } from "../../../../plugin/operator/doctor/checks_codex.ts";
import { profilePaths } from "../../../../plugin/profile.ts";
import { TestedCodex } from "../../../../plugin/tested_codex.ts";
import { NEWEST_TESTED } from "../../../../runner/codex/capabilities.ts";
import { Folder } from "../command_line.ts";

Deno.test("a codex newer than what was tested is no warning once the deep turn passed with that file", async () => {
  using folder = new Folder();
  const binary = folder.at("codex");
  const write = (version: string) =>
    Deno.writeTextFileSync(binary, `#!/bin/sh\necho codex-cli ${version}\n`, { mode: 0o755 });
  const paths = profilePaths(folder.at("profile"));
  Deno.mkdirSync(paths.plugin, { recursive: true });
  const contextNow = () =>
    new DoctorContext({
      paths,
      config: parseConfig(JSON.stringify({ binary }), "config.json").config,
      configError: undefined,
      configWarnings: [],
      environment: { PATH: "/usr/bin:/bin", HOME: folder.path },
      runtimeDirectory: folder.path,
      executable: ["/opt/it's/plexum"],
      namedProfile: "p",
      progress: () => {},
    });

  write(NEWEST_TESTED);
  assert.equal((await TESTED_CHECK.run(contextNow())).status, "ok");
  write("99.0.0");
  const context = contextNow();
  const warned = await TESTED_CHECK.run(context);
  assert.equal(warned.status, "warn");
  // Runs as it is printed, whatever the path.
  assert.equal(warned.command, `'/opt/it'\\''s/plexum' doctor --deep --profile ${paths.profile}`);
  rememberTested(paths, await context.usableCodex());
  const passed = await TESTED_CHECK.run(contextNow());
  assert.deepEqual([passed.status, passed.summary], [
    "ok",
    "codex 99.0.0 passed the deep turn here",
  ]);
  assert.equal((Deno.statSync(join(paths.state, "tested.json")).mode ?? 0) & 0o777, 0o600);

  // The same file is a wrapper of another codex: that has to pass by itself.
  const codex = await context.usableCodex();
  const newer = { ...codex, capabilities: { version: "99.1.0" } };
  assert.ok(new TestedCodex(paths.state).at(codex));
  assert.equal(new TestedCodex(paths.state).at(newer), undefined);

  write("99.0.10"); // and so has another file
  assert.equal((await TESTED_CHECK.run(contextNow())).status, "warn");
});
