import { strict as assert } from "node:assert";
import { parse } from "@std/jsonc";
import { parseConfig } from "../../../../plugin/config/config.ts";
import {
  configJsonSchema,
  configOptions,
  configTemplate,
} from "../../../../plugin/operator/setup/config_reference.ts";

Deno.test("the template is the default configuration, without a warning", () => {
  const { config, warnings } = parseConfig(configTemplate(), "config.json");
  assert.deepEqual(warnings, []);
  const { $schema, ...rest } = config;
  assert.equal($schema, "./config.schema.json");
  assert.deepEqual(rest, parseConfig("{}", "config.json").config);
});

Deno.test("the template with every option put in is still the default configuration", () => {
  const text = configTemplate().replace(/^( *)\/\/ +("[\w$]+":.*|},)$/gm, "$1$2")
    .replace(/"<id>": \{[^}]*\}/g, "");
  const value = parse(text) as Record<string, unknown>;
  assert.ok(Object.keys(value).length > 15, text);
  const { config, warnings } = parseConfig(text, "config.json");
  assert.deepEqual(warnings, []);
  assert.deepEqual(config, parseConfig(`{"$schema":"./config.schema.json"}`, "").config);
});

Deno.test("every option has a type and a description", () => {
  for (const { path, type, description } of configOptions()) {
    const key = path.join(".");
    assert.notEqual(type, "anything", key);
    assert.doesNotMatch(type, /undefined/, key);
    assert.match(description, /\.$/, key);
  }
});

Deno.test("the schema for editors tells an unknown value from a known one", () => {
  const { properties } = configJsonSchema();
  assert.deepEqual(properties?.sandbox?.enum, [
    "read-only",
    "workspace-write",
    "danger-full-access",
  ]);
  assert.equal(properties?.retries?.minimum, 0);
  assert.equal(properties?.retries?.maximum, undefined);
});
