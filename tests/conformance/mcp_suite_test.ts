/**
 * The MCP project's own conformance suite at `mcp-host` of the compiled plugin. The suite speaks HTTP
 * only, so an adapter stands between. What a server of tools alone does not have is listed below,
 * with the reason; the suite must find exactly that missing.
 */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { CONFORMANCE_TOOLS, conformanceAnswer } from "./conformance_tools.ts";
import { serveHttp } from "./http_adapter.ts";
import { MCP_SUITE, npmPackage } from "../support/npm_package.ts";
import { openLiveBridge, run } from "./live_bridge.ts";

/** What must pass. */
const PASSES = [
  ...["server-initialize", "ping", "tools-list", "json-schema-2020-12"],
  ...["tools-call-simple-text", "tools-call-image", "tools-call-audio"],
  ...["tools-call-embedded-resource", "tools-call-mixed-content", "tools-call-error"],
];

/** Scenario, or how its name begins → why the server does not have what it asks for. */
const NOT_OURS: Record<string, string> = {
  "logging-set-level": "the host's protocol has no log of a tool call",
  "tools-call-with-logging": "the host's protocol has no log of a tool call",
  "tools-call-with-progress": "the host's protocol has no progress of a tool call",
  "tools-call-sampling": "a host tool asks nothing of codex's model",
  "tools-call-elicitation": "a host tool asks nothing of codex's user: exec has none",
  "elicitation-": "a host tool asks nothing of codex's user: exec has none",
  "completion-": "only tools are offered",
  "resources-": "only tools are offered",
  "prompts-": "only tools are offered",
  "server-sse-": "about HTTP: this is the test's adapter, codex and mcp-host speak over stdio",
  "dns-rebinding-protection": "about HTTP: this is the test's adapter",
};

Deno.test("the MCP conformance suite passes for tools, and finds nothing else missing than is known", async () => {
  const suite = await npmPackage(MCP_SUITE);
  await using bridge = await openLiveBridge(CONFORMANCE_TOOLS, conformanceAnswer);
  await using http = serveHttp(bridge);
  const { stdout, stderr } = await run(Deno.execPath(), [
    // It needs a newer Node than the tests do, or this.
    ...["run", "--quiet", "--allow-all", "--no-lock", "--node-modules-dir=manual"],
    ...[join(suite, "dist", "index.js"), "server", "--suite", "all", "--url", http.url],
  ], suite);
  const summary = stdout.slice(stdout.indexOf("=== SUMMARY ==="));
  const found = (mark: string) =>
    [...summary.matchAll(new RegExp(`^${mark} ([\\w-]+): `, "gm"))].map((match) => match[1] ?? "");
  const [passed, failed] = [found("✓"), found("✗")];
  assert.ok(passed.length + failed.length >= 30, `the suite ran\n${stdout.slice(-2000)}${stderr}`);
  const isKnown = (name: string) => Object.keys(NOT_OURS).some((start) => name.startsWith(start));
  assert.deepEqual(PASSES.filter((name) => !passed.includes(name)), [], summary);
  assert.deepEqual(failed.filter((name) => !isKnown(name)), [], summary);
});
