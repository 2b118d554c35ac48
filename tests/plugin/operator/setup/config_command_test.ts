import { strict as assert } from "node:assert";
import { parseConfig } from "../../../../plugin/config/config.ts";
import { agentEnv, turnSettings } from "../../../../plugin/config/settings.ts";
import { effectiveConfig } from "../../../../plugin/operator/setup/config_command.ts";

const RAW = {
  extra_args: ["--a"],
  env: { LAB_KEY: "very-secret", CODEX_HOME: "/c" },
  models: { m: { args: ["--b"], sandbox: "read-only", timeouts: { start_ms: 5 } } },
  agents: { cx: { args: ["--c"], timeouts: { start_ms: 6 } } },
};

Deno.test("config show tells the value that a turn gets, and where it comes from", () => {
  const { config } = parseConfig(JSON.stringify(RAW), "config.json");
  const values = effectiveConfig(config, RAW, { model: "m", agent: "cx" });
  const of = (key: string) => values.find((one) => one.key === key);
  assert.deepEqual(of("binary"), { key: "binary", value: "codex", source: "default" });
  assert.deepEqual(of("sandbox"), { key: "sandbox", value: "read-only", source: "model" });
  assert.deepEqual(of("timeouts.start_ms"), {
    key: "timeouts.start_ms",
    value: 6,
    source: "agent",
  });
  assert.deepEqual(of("extra_args"), {
    key: "extra_args",
    value: ["--a", "--b", "--c"],
    source: "agent",
  });
  const settings = turnSettings(config, "m", "cx");
  assert.deepEqual(of("extra_args")?.value, settings.extraArgs);
  assert.equal(of("timeouts.start_ms")?.value, settings.limits.start);
  assert.equal(of("sandbox")?.value, settings.sandbox);
});

Deno.test("config show does not print what env holds", () => {
  const { config } = parseConfig(JSON.stringify(RAW), "config.json");
  const text = JSON.stringify(effectiveConfig(config, RAW, {}));
  assert.ok(!text.includes("very-secret"));
  assert.match(text, /"LAB_KEY":"\[not shown\]","CODEX_HOME":"\/c"/);
});

Deno.test("effectiveConfig shows an agent's variables with those of all, and no value but CODEX_HOME", () => {
  const raw = {
    env: { A: "1", CODEX_HOME: "/one" },
    agents: { cx: { env: { CODEX_HOME: "/two" } } },
  };
  const { config } = parseConfig(JSON.stringify(raw), "config.json");
  const env = effectiveConfig(config, raw, { agent: "cx" }).find(({ key }) => key === "env");
  assert.deepEqual(env, {
    key: "env",
    value: { A: "[not shown]", CODEX_HOME: "/two" },
    source: "agent",
  });
  assert.deepEqual(agentEnv(config, "cx"), { A: "1", CODEX_HOME: "/two" });
  assert.deepEqual(agentEnv(config, "other"), { A: "1", CODEX_HOME: "/one" });
});
