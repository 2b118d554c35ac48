import { strict as assert } from "node:assert";
import { type ArgvInput, codexArgs, hostToolsConfig } from "../../../runner/exec/argv.ts";

const base: ArgvInput = {
  cwd: "/w",
  sandbox: "workspace-write",
  writableRoots: [],
  networkAccess: false,
  extraArgs: [],
  images: [],
  config: [],
};
const HOST_TOOLS = {
  name: "plexum_host",
  server: { command: "/opt/a b/plexum", args: ["mcp-host"], required: true },
  env: { PLEXUM_MCP_SOCKET: "/run/s", PLEXUM_MCP_TOKEN: "secret" },
  config: { tool_output_token_limit: 501_000 },
  fingerprint: "1",
};
const THREAD = "01a2030c-155d-79b3-8591-236907bf9380";

Deno.test("codexArgs of a new thread has every flag before -C and the prompt on stdin", () => {
  assert.deepEqual(codexArgs({ ...base, model: "gpt-5.5", outputSchema: "/t/schema.json" }), [
    "exec",
    "--json",
    "--skip-git-repo-check",
    ...["--sandbox", "workspace-write"],
    "--model=gpt-5.5",
    ...["--output-schema", "/t/schema.json"],
    ...["-c", 'approval_policy="never"'],
    ...["-c", "features.unbounded_connection_retries=false"],
    ...["-C", "/w"],
    ...["--", "-"],
  ]);
});

Deno.test("codexArgs of a resume repeats every flag, and ends in resume -- ID -", () => {
  const input: ArgvInput = {
    ...base,
    model: "m",
    extraArgs: ["--enable", "x"],
    instructions: "be kind",
    config: ["a.b=1"],
  };
  const fresh = codexArgs(input);
  const resumed = codexArgs({ ...input, threadId: THREAD });
  assert.deepEqual(fresh.slice(-2), ["--", "-"]);
  assert.deepEqual(resumed, [...fresh.slice(0, -2), "resume", "--", THREAD, "-"]);
});

Deno.test("codexArgs gives images as one word each, on a resume after the word resume", () => {
  const images = ["/t/a.png", "/t/b c.png"];
  assert.deepEqual(codexArgs({ ...base, images }).slice(-4), [
    "--image=/t/a.png",
    "--image=/t/b c.png",
    "--",
    "-",
  ]);
  assert.deepEqual(codexArgs({ ...base, images, threadId: THREAD }).slice(-6), [
    ...["resume", "--image=/t/a.png", "--image=/t/b c.png", "--", THREAD, "-"],
  ]);
});

Deno.test("codexArgs configures a workspace-write sandbox, and no other", () => {
  const input = { ...base, writableRoots: ["/a", '/b "c"'], networkAccess: true };
  const args = codexArgs(input);
  assert.ok(args.includes('sandbox_workspace_write.writable_roots=["/a","/b \\"c\\""]'));
  assert.ok(args.includes("sandbox_workspace_write.network_access=true"));
  for (const sandbox of ["read-only", "danger-full-access"] as const) {
    const text = codexArgs({ ...input, sandbox }).join(" ");
    assert.match(text, new RegExp(`--sandbox ${sandbox}`));
    assert.doesNotMatch(text, /sandbox_workspace_write/);
  }
});

Deno.test("codexArgs says how far codex may believe the workspace, as TOML", () => {
  const args = codexArgs({ ...base, cwd: '/w "x"', trustsUnasked: true });
  assert.ok(args.includes('projects={"/w \\"x\\""={trust_level="untrusted"}}'), args.join(" "));
});

Deno.test("codexArgs puts the operator's arguments after ours, so that they win", () => {
  const args = codexArgs({ ...base, extraArgs: ["-c", 'approval_policy="on-request"'] });
  const values = args.filter((arg) => arg.startsWith("approval_policy"));
  assert.deepEqual(values, ['approval_policy="never"', 'approval_policy="on-request"']);
  assert.ok(args.indexOf("-C") > args.lastIndexOf('approval_policy="on-request"'));
});

Deno.test("hostToolsConfig names the relay's variables, and tells none of their values", () => {
  assert.deepEqual(hostToolsConfig(HOST_TOOLS), [
    'mcp_servers.plexum_host={command="/opt/a b/plexum",args=["mcp-host"],required=true,' +
    'env_vars=["PLEXUM_MCP_SOCKET","PLEXUM_MCP_TOKEN"]}',
    'shell_environment_policy.set.PLEXUM_MCP_SOCKET=""',
    'shell_environment_policy.set.PLEXUM_MCP_TOKEN=""',
    "tool_output_token_limit=501000",
  ]);
});
