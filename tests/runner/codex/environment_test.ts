import { strict as assert } from "node:assert";
import { codexEnvironment, codexHome } from "../../../runner/codex/environment.ts";

Deno.test("codexEnvironment hands on the plugin's own environment less what is the plugin's", () => {
  const own = {
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
    PATH: "/bin",
    CODEX_API_KEY: "k",
    CODEX_HOME: "/c",
    HTTPS_PROXY: "http://p",
  });
});

Deno.test("codexEnvironment lets the configuration win over the rest", () => {
  const codex = { env: { CODEX_MANAGED_BY_NPM: "1", X: "launcher" } };
  const env = codexEnvironment({ X: "own", Y: "own" }, { X: "configured" }, codex);
  assert.deepEqual(env, { X: "configured", Y: "own", CODEX_MANAGED_BY_NPM: "1" });
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
