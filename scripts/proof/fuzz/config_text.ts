/**
 * `config.json`: any text either is a configuration with every value filled in, or is refused with
 * a `ConfigError` whose message names the file and can be read.
 */
import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import { parseConfig } from "../../../plugin/config/config.ts";
import { codexModel, turnSettings } from "../../../plugin/config/settings.ts";
import { manifestFor } from "../../../plugin/self.ts";
import { ConfigError } from "../../../plugin/shape_error.ts";
import { anyValue, count, list, object, text, word } from "./json_text.ts";
import { mutated } from "./mutation.ts";
import { bytesOf, type Runner, type Target } from "./target.ts";

const PATH = "/profile/config.json";
/** Of a message for people; what is quoted in it must be cut. */
const MESSAGE_MAX = 4096;

const milliseconds = fc.oneof(count, word("10"), fc.constantFrom("-1", "1.5", "1e12"));
const timeouts = object({
  start_ms: milliseconds,
  silence_ms: milliseconds,
  tool_silence_ms: milliseconds,
  grace_ms: milliseconds,
  silense_ms: milliseconds,
});
const override = object({
  sandbox: word("read-only", "workspace-write", "danger-full-access", "none"),
  args: list(text),
  timeouts,
});
const names = object({ codex: override, "gpt-5.5": override, __proto__: override });
const config = object({
  binary: text,
  extra_args: list(text),
  extra_arg: list(text),
  supported_models: list(text),
  model_args: object({ codex: text, m: text, hasOwnProperty: text }),
  sandbox: word("read-only", "workspace-write", "danger-full-access", "none"),
  network_access: word("true").map(() => "true"),
  env: object({ CODEX_HOME: text, PATH: text, __proto__: text }),
  retries: count,
  timeouts,
  log_level: word("debug", "info", "loud"),
  models: names,
  agents: names,
});
const commented = fc.tuple(
  fc.constantFrom("", "// why\n", "/* a */", "\ufeff", "/* open", "\u2028"),
  fc.oneof({ weight: 8, arbitrary: config }, { weight: 1, arbitrary: anyValue }),
  fc.constantFrom("", "\n", ",", " // end", "\0", "}"),
).map((parts) => bytesOf(parts.join("")));

/** The configuration file. */
export const configText: Target = {
  cases: mutated(commented),
  open: (): Runner => ({ run: check }),
};

function check(bytes: Uint8Array): void {
  const text = new TextDecoder().decode(bytes);
  try {
    const { config, warnings } = parseConfig(text, PATH);
    for (const name of ["codex", "m", "__proto__", "constructor", "hasOwnProperty", ""]) {
      const settings = turnSettings(config, name, name);
      for (const limit of [...Object.values(settings.limits), settings.graceMs]) {
        assert.ok(Number.isSafeInteger(limit) && limit >= 0, `limit ${limit}`);
      }
      assert.ok(settings.extraArgs.every((arg) => typeof arg === "string"), "arguments are text");
      assert.ok(["undefined", "string"].includes(typeof codexModel(config, name)), "a model id");
    }
    manifestFor(config.supported_models);
    for (const warning of warnings) checkMessage(warning);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    checkMessage(error.message);
  }
}

function checkMessage(message: string): void {
  assert.ok(message.includes(PATH), `names the file: ${message.slice(0, 200)}`);
  assert.ok(message.length <= MESSAGE_MAX, `${message.length} characters: ${message.slice(0, 80)}`);
}
