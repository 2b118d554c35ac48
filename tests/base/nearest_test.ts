import { strict as assert } from "node:assert";
import { nearest } from "../../plugin/shape_error.ts";

const KNOWN = ["binary", "env", "extra_args", "mcp-host", "--version", "tool_timeout_ms", "models"];

for (
  const [name, meant] of Object.entries({
    biary: "binary",
    Binary: "binary",
    extraArgs: "extra_args",
    "extra-arg": "extra_args",
    mcphost: "mcp-host",
    verison: "--version",
    "-version": "--version",
    model: "models",
    toolTimeout: "tool_timeout_ms",
    a: undefined,
    v: undefined,
    "": undefined,
    quite_something_else: undefined,
  })
) {
  Deno.test(`nearest of ${JSON.stringify(name)} is ${meant}`, () => {
    assert.equal(nearest(name, KNOWN), meant);
  });
}
