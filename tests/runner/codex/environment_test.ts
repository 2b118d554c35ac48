import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { codexEnvironment, codexHome, homeOfUser } from "../../../runner/codex/environment.ts";

Deno.test("codexEnvironment hands on the plugin's own environment less what is the plugin's", () => {
  const own = {
    HOME: "/h",
    PATH: "/bin",
    CODEX_API_KEY: "k",
    CODEX_HOME: "/c",
    HTTPS_PROXY: "http://p",
    PLEXUM_PROFILE_ROOT: "/p",
    PLEXUM_TURN: "of an outer turn",
    CODEX_SANDBOX: "seatbelt",
    CODEX_SANDBOX_NETWORK_DISABLED: "1",
    CODEX_MANAGED_BY_NPM: "1",
    CODEX_THREAD_ID: "outer",
  };
  assert.deepEqual(codexEnvironment(own, {}), {
    HOME: "/h",
    PATH: "/bin",
    CODEX_API_KEY: "k",
    CODEX_HOME: "/c",
    HTTPS_PROXY: "http://p",
  });
});

Deno.test("codexEnvironment lets the configuration win over the rest", () => {
  const codex = { env: { CODEX_MANAGED_BY_NPM: "1", X: "launcher" } };
  const env = codexEnvironment({ HOME: "/h", X: "own", Y: "own" }, { X: "configured" }, codex);
  assert.deepEqual(env, { HOME: "/h", X: "configured", Y: "own", CODEX_MANAGED_BY_NPM: "1" });
});

Deno.test("codexEnvironment puts the launcher's directory in front of PATH", () => {
  const codex = { pathDirectory: "/v/codex-path" };
  assert.equal(codexEnvironment({ PATH: "/a::/b" }, {}, codex).PATH, "/v/codex-path:/a:/b");
  assert.equal(codexEnvironment({}, {}, codex).PATH, "/v/codex-path");
  assert.equal(
    codexEnvironment({ PATH: "/a" }, { PATH: "/c" }, codex).PATH,
    "/v/codex-path:/c",
  );
});

Deno.test("codexHome is CODEX_HOME, else ~/.codex", () => {
  assert.equal(codexHome({ CODEX_HOME: "/c", HOME: "/h" }), "/c");
  assert.equal(codexHome({ CODEX_HOME: "", HOME: "/h" }), "/h/.codex");
  assert.equal(codexHome({ HOME: "/h" }), "/h/.codex");
});

Deno.test("codexEnvironment has no path that depends on the workspace", () => {
  const here = Deno.cwd();
  const own = { HOME: "/h", PATH: "bin:/usr/bin:.:", TMPDIR: "tmp", XDG_CONFIG_HOME: "./x" };
  const env = codexEnvironment(own, { CODEX_HOME: ".codex", SSL_CERT_FILE: "ca.pem", WORD: "a/b" });
  assert.deepEqual(env, {
    HOME: "/h",
    PATH: `${here}/bin:/usr/bin:${here}`,
    TMPDIR: `${here}/tmp`,
    XDG_CONFIG_HOME: `${here}/x`,
    CODEX_HOME: `${here}/.codex`,
    SSL_CERT_FILE: `${here}/ca.pem`,
    WORD: "a/b",
  });
  assert.equal(codexHome(env), `${here}/.codex`);
});

Deno.test("codexEnvironment without HOME has the one of the password database", () => {
  for (const own of [{}, { HOME: "" }] as Record<string, string>[]) {
    const env = codexEnvironment(own, {});
    assert.equal(env.HOME, homeOfUser());
    assert.equal(codexHome(env), `${homeOfUser()}/.codex`);
  }
});

Deno.test("homeOfUser reads the line of this user, and knows nothing where there is none", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const { uid } = await Deno.stat(folder);
    const passwd = join(folder, "passwd");
    const lines = ["other:x:4711:0::/home/other:/bin/sh", `me:x:${uid}:0:Me:/home/me:/bin/sh`, ""];
    await Deno.writeTextFile(passwd, lines.join("\n"));
    assert.equal(homeOfUser(passwd), "/home/me");
    await Deno.writeTextFile(passwd, "other:x:4711:0::/home/other:/bin/sh\n");
    assert.equal(homeOfUser(passwd), undefined);
    assert.equal(homeOfUser(join(folder, "missing")), undefined);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
