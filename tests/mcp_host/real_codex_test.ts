/** Real codex against the scripted model, its host tools served by a bridge in this process. */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { EXACT } from "../../scripts/proof/matrix/edges.ts";
import { capabilitiesOf } from "../../runner/codex/capabilities.ts";
import { RawJson } from "../../base/raw_json.ts";
import type { HostTool, HostToolCall } from "../../mcp_host/host_tool.ts";
import { command, type ScriptedItem } from "../support/model/items.ts";
import { codexBinary, MIDDLE_CODEX, NEWEST_CODEX, OLDEST_CODEX } from "../support/codex.ts";
import { PIXEL } from "../support/pixel.ts";
import { openSandbox, type Sandbox } from "../support/sandbox.ts";
import { codexCanSandbox } from "../support/user_namespaces.ts";
import { openRig, type Rig } from "./rig.ts";

const NAMESPACE = "mcp__plexum_host";

const tools: HostTool[] = [
  {
    name: "web.search",
    description: "Searches.",
    inputSchema: { type: "object", properties: { q: { type: "string" } }, required: ["q"] },
  },
  { name: "dropped", inputSchema: { type: "object", properties: { q: 5 } } },
  ...Array.from({ length: 60 }, (_, index) => ({ name: `${"long".repeat(20)} ${index}` })),
];

function call(id: string, name: string, args: Record<string, unknown>): ScriptedItem {
  return { type: "function_call", namespace: NAMESPACE, name, args, call_id: id };
}

/** Starts one turn in a read-only sandbox, where there can be one. */
function startTurn(sandbox: Sandbox, rig: Rig, codex: string): Deno.ChildProcess {
  return new Deno.Command(codex, {
    args: [
      ...["exec", "--json", "--skip-git-repo-check"],
      ...["-s", codexCanSandbox() ? "read-only" : "danger-full-access"],
      ...rig.config.flatMap((value) => ["-c", value]),
      ...["-C", sandbox.workspace, "do it"],
    ],
    clearEnv: true,
    env: { ...sandbox.env, ...rig.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs one turn; returns codex's exit code and what it wrote. */
async function runTurn(sandbox: Sandbox, rig: Rig, version: string) {
  const codex = startTurn(sandbox, rig, (await codexBinary(version)).native);
  const { code, stdout, stderr } = await codex.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** The outputs that the model saw in its last request, by call id. */
function outputs(sandbox: Sandbox): Record<string, string> {
  const input = sandbox.model.asked.at(-1)?.input ?? [];
  return Object.fromEntries(
    (input as unknown as Record<string, unknown>[])
      .filter((item) => item.type === "function_call_output")
      .map((item) => [String(item.call_id), JSON.stringify(item.output)]),
  );
}

/** Names of the functions the model was offered in our namespace. */
function offered(sandbox: Sandbox, namespace = NAMESPACE): string[] {
  const text = JSON.stringify(sandbox.model.asked[0]);
  const names: string[] = [];
  const walk = (node: unknown) => {
    if (typeof node !== "object" || node === null) return;
    const { type, name, tools } = node as {
      type?: string;
      name?: string;
      tools?: { name: string }[];
    };
    if (type === "namespace" && name === namespace) names.push(...tools?.map((t) => t.name) ?? []);
    for (const inner of Object.values(node)) walk(inner);
  };
  walk(JSON.parse(text));
  return names.sort();
}

for (
  const [version, model] of [
    [OLDEST_CODEX, "gpt-5.5"],
    [MIDDLE_CODEX, "gpt-5.5"],
    [NEWEST_CODEX, "gpt-5.5"],
    [NEWEST_CODEX, "gpt-5.6-sol"],
  ] as const
) {
  Deno.test(`codex ${version} with ${model} calls host tools as plain functions, read-only`, async () => {
    await using sandbox = await openSandbox({
      binary: (await codexBinary(version)).native,
      modelName: model,
      steps: [
        {
          items: [call("call_a", "web_search", { q: "x" }), call("call_b", "web_search", { q: 1 })],
        },
        { text: "done" },
      ],
    });
    await using rig = await openRig({ tools, runtimeDir: sandbox.runtime });
    const config = join(sandbox.codexHome, "config.toml");
    const before = Deno.readFileSync(config);
    const { code, stdout, stderr } = await runTurn(sandbox, rig, version);
    assert.equal(code, 0, stderr + stdout);
    assert.match(stdout, /"turn\.completed"/);
    // A codex that may write the workspace notes there that it is trusted.
    if (codexCanSandbox()) assert.deepEqual(Deno.readFileSync(config), before, "as it was");

    // Every tool is offered, under the name we gave it, which codex had no reason to change.
    assert.equal(offered(sandbox).length, tools.length - 1);
    for (const name of offered(sandbox)) {
      assert.ok(rig.bridge.hostName(NAMESPACE, name) !== undefined, `${name} is one of ours`);
    }
    assert.match(rig.statuses.join(), /host tool "dropped" left out: inputSchema\.properties\.q/);

    assert.deepEqual(rig.calls.map((made) => [made.name, made.arguments.value]), [
      ["web.search", { q: "x" }],
    ]);
    const expectedId = version === OLDEST_CODEX ? undefined : "call_a";
    assert.equal(rig.calls[0]?.callId, expectedId, "codex sends its call id from 0.148 on");
    assert.match(outputs(sandbox).call_a ?? "", /q.*x/);
    assert.match(outputs(sandbox).call_b ?? "", /arguments\/q must be string/);
    assert.equal(rig.bridge.connections, 1);
    assert.equal(rig.bridge.refused, 0);
  });
}

for (const version of [OLDEST_CODEX, MIDDLE_CODEX, "0.169.0", NEWEST_CODEX]) {
  Deno.test(`codex ${version}, the host and the model say the same digits to each other`, async () => {
    await using sandbox = await openSandbox({
      binary: (await codexBinary(version)).native,
      steps: [
        {
          items: [
            { ...call("call_a", "value", {}), args: EXACT } as ScriptedItem,
            call("call_b", "empty", {}),
            call("call_c", "picture", {}),
          ],
        },
        { text: "done" },
      ],
    });
    const structured = '{"id":9007199254740993,"e":1E2,"z":-0,"id":2.0}';
    const image = { type: "image", data: PIXEL.png.replaceAll("=", ""), mimeType: "image/gif" };
    const svg = { type: "image", data: btoa("<svg xmlns='x'/>"), mimeType: "image/svg+xml" };
    const answers: Record<string, RawJson> = {
      value: new RawJson(
        `{"structuredContent":${structured},"content":[{"type":"text","text":"in words"}]}`,
      ),
      empty: RawJson.of({ content: [] }),
      picture: RawJson.of({ content: [image, svg] }),
    };
    await using rig = await openRig({
      tools: Object.keys(answers).map((name) => ({ name })),
      runtimeDir: sandbox.runtime,
      call: ({ name }) => Promise.resolve(answers[name] ?? RawJson.of({})),
    }, capabilitiesOf(`codex-cli ${version}`));
    const { code, stderr } = await runTurn(sandbox, rig, version);
    assert.equal(code, 0, stderr);
    assert.equal(rig.calls.find(({ name }) => name === "value")?.arguments.text, EXACT);
    const { call_a = "", call_b = "", call_c = "" } = outputs(sandbox);
    assert.match(call_a, /in words/);
    // Up to 0.150 the parts stand as JSON in the output's text.
    assert.ok(call_a.replaceAll("\\", "").includes(structured), call_a);
    assert.doesNotMatch(call_b, /tool call error/);
    assert.ok(call_c.includes(`data:image/png;base64,${PIXEL.png}`), call_c);
    assert.match(call_c, /an image was left out: the host's picture is an SVG drawing/);
  });
}

Deno.test("codex shows a tool whose schema had a combinator at its top, and its original rule holds", async () => {
  const inputSchema = {
    type: "object",
    properties: { id: { type: "string" }, name: { type: "string" } },
    oneOf: [{ required: ["id"] }, { required: ["name"] }],
  };
  for (const version of [OLDEST_CODEX, MIDDLE_CODEX, NEWEST_CODEX]) {
    await using sandbox = await openSandbox({
      binary: (await codexBinary(version)).native,
      steps: [
        {
          items: [
            call("call_a", "find", { id: "1", name: "x" }),
            call("call_b", "find", { name: "x" }),
          ],
        },
        { text: "done" },
      ],
    });
    await using rig = await openRig({
      tools: [{ name: "find", description: "Finds.", inputSchema }],
      runtimeDir: sandbox.runtime,
    });
    const { code, stderr } = await runTurn(sandbox, rig, version);
    assert.equal(code, 0, stderr);
    const shown = JSON.stringify(sandbox.model.asked[0]?.tools);
    assert.match(shown, /exactly one must hold: \(1\) id given; \(2\) name given/);
    assert.doesNotMatch(shown, /"oneOf":\[\{"required"/);
    assert.match(outputs(sandbox).call_a ?? "", /Invalid arguments for find/);
    assert.deepEqual(rig.calls.map((made) => made.arguments.value), [{ name: "x" }]);
  }
});

Deno.test("codex hands results of agreed size to the model uncut", async () => {
  for (const version of [OLDEST_CODEX, MIDDLE_CODEX, NEWEST_CODEX]) {
    await using sandbox = await openSandbox({
      binary: (await codexBinary(version)).native,
      steps: [{ items: [call("call_a", "web_search", { q: "x" })] }, { text: "done" }],
    });
    // Quotes and newlines: the older versions count them twice, as JSON text.
    const text = '"\n'.repeat(100_000);
    await using rig = await openRig({
      tools,
      runtimeDir: sandbox.runtime,
      resultMaxBytes: 150_000,
      call: () => Promise.resolve({ content: [{ type: "text", text }] }),
    });
    const { code, stderr } = await runTurn(sandbox, rig, version);
    assert.equal(code, 0, stderr);
    const seen = outputs(sandbox).call_a ?? "";
    assert.match(seen, /50000 bytes cut: the limit for a result is 150000 bytes/);
    assert.ok(!seen.includes("truncated") && !seen.includes("…50"), "codex itself cut nothing");
    assert.ok(seen.length > 2 * 150_000, `${version}: ${seen.length}`);
  }
});

Deno.test("codex runs calls in parallel where the host says they are safe", async () => {
  for (const version of [OLDEST_CODEX, NEWEST_CODEX]) {
    await using sandbox = await openSandbox({
      binary: (await codexBinary(version)).native,
      steps: [
        { items: ["a", "b", "c"].map((q) => call(`call_${q}`, "read", { q })) },
        { text: "done" },
      ],
    });
    const { promise: together, resolve } = Promise.withResolvers<void>();
    await using rig = await openRig({
      tools: [{ name: "read", annotations: { readOnlyHint: true } }],
      runtimeDir: sandbox.runtime,
      // Nobody answers before all three are under way: run one by one, the turn would not end.
      call: async () => {
        if (rig.calls.length === 3) resolve();
        await together;
        return { content: [] };
      },
    });
    const { code, stderr } = await runTurn(sandbox, rig, version);
    assert.equal(code, 0, stderr);
    assert.equal(rig.calls.length, 3);
  }
});

Deno.test("codex does not start a turn where the relay cannot be started", async () => {
  for (const version of [OLDEST_CODEX, MIDDLE_CODEX, NEWEST_CODEX]) {
    await using sandbox = await openSandbox({ binary: (await codexBinary(version)).native });
    await using rig = await openRig({
      runtimeDir: sandbox.runtime,
      executable: [join(sandbox.root, "not-there")],
    });
    const { code, stdout, stderr } = await runTurn(sandbox, rig, version);
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(stderr, /required MCP servers failed to initialize: plexum_host/);
  }
});

Deno.test("codex keeps the token out of the commands that the model runs", async () => {
  for (const version of [OLDEST_CODEX, MIDDLE_CODEX, NEWEST_CODEX]) {
    const tells = command('echo "token=[$PLEXUM_MCP_TOKEN] home=[$CODEX_HOME]"', "call_s");
    await using sandbox = await openSandbox({
      binary: (await codexBinary(version)).native,
      steps: [
        { items: [tells] },
        { text: "done" },
      ],
    });
    await using rig = await openRig({ runtimeDir: sandbox.runtime });
    await runTurn(sandbox, rig, version);
    const seen = outputs(sandbox).call_s ?? "";
    assert.match(seen, /token=\[\] home=\[\//, `${version}: ${seen}`);
  }
});

Deno.test("codex that is interrupted ends its call, and the host hears of it", async () => {
  for (const version of [OLDEST_CODEX, NEWEST_CODEX]) {
    const native = (await codexBinary(version)).native;
    await using sandbox = await openSandbox({
      binary: native,
      steps: [{ items: [call("call_a", "web_search", { q: "x" })] }, { text: "never" }],
    });
    const { promise: asked, resolve } = Promise.withResolvers<HostToolCall>();
    await using rig = await openRig({
      tools,
      runtimeDir: sandbox.runtime,
      call: (made) => {
        resolve(made);
        return new Promise<never>(() => {});
      },
    });
    const running = startTurn(sandbox, rig, native);
    const { signal } = await asked;
    const aborted = new Promise((done) => signal.addEventListener("abort", done, { once: true }));
    running.kill("SIGINT");
    await aborted;
    assert.equal((await running.output()).code, 1);
  }
});

Deno.test("codex reaches host tools that its own config registers, without danger", async () => {
  for (const version of [OLDEST_CODEX, MIDDLE_CODEX, NEWEST_CODEX]) {
    const native = (await codexBinary(version)).native;
    const namespace = "mcp__plexum_host_cx";
    await using sandbox = await openSandbox({
      binary: native,
      steps: [
        { items: [{ ...call("call_a", "web_search", { q: "x" }), namespace } as ScriptedItem] },
        { text: "done" },
      ],
    });
    const codexConfig = { codex: native, codexHome: sandbox.codexHome, env: sandbox.env };
    await using rig = await openRig({ tools, runtimeDir: sandbox.runtime, codexConfig });
    const { code, stderr } = await runTurn(sandbox, rig, version);
    assert.equal(code, 0, stderr);
    assert.deepEqual(rig.calls.map((made) => made.name), ["web.search"]);
    const names = offered(sandbox, namespace);
    assert.equal(names.length, tools.length - 1);
    for (const name of names) {
      assert.ok(rig.bridge.hostName(namespace, name) !== undefined, `${name} is one of ours`);
    }
    const config = Deno.readTextFileSync(join(sandbox.codexHome, "config.toml"));
    assert.match(config, /\[mcp_servers\.plexum-host-cx\]/);
    assert.ok(!config.includes(rig.env.PLEXUM_MCP_TOKEN ?? ""), "no token in the config");
  }
});
