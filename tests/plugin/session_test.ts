/** The conversation with one host: handshake, repair, and which method is whose. */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { RpcError } from "../../base/jsonrpc/peer.ts";
import { RawJson } from "../../base/raw_json.ts";
import { ConfigFile } from "../../plugin/config/config.ts";
import { Log } from "../../plugin/log.ts";
import type { LogParams } from "../../plugin/protocol.ts";
import type { Provider } from "../../plugin/provider.ts";
import { VERSION } from "../../plugin/self.ts";
import { Session } from "../../plugin/session.ts";

/** A provider that answers with what it was asked. */
const echo = {
  stream: (params: unknown, { id }: { id: unknown }) => Promise.resolve({ stream: params, id }),
  mutate: (params: unknown) => Promise.resolve({ mutate: params }),
  stats: () => ({ turns: 1 }),
} as unknown as Provider;

interface Stage {
  session: Session;
  config: ConfigFile;
  configPath: string;
  logs: LogParams[];
  log: Log;
  loads: () => number;
  /** Answer of a request with id 1. */
  ask(method: string, params?: unknown): Promise<unknown>;
  /** The error of such a request. */
  refusal(method: string, params?: unknown): Promise<RpcError>;
}

async function onStage(
  test: (stage: Stage) => Promise<void>,
  load: () => Promise<Provider> = () => Promise.resolve(echo),
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const configPath = join(folder, "config.json");
    const logs: LogParams[] = [];
    const log = new Log("info", (line) => logs.push(line));
    let loads = 0;
    const config = new ConfigFile(configPath, (message) => log.write("warning", message));
    const session = new Session(config, log, () => (loads++, load()));
    const ask = (method: string, params?: unknown) =>
      session.request(method, params, {
        id: 1,
        signal: new AbortController().signal,
        tooLate: () => {},
        whole: RawJson.of({}),
      });
    const refusal = async (method: string, params?: unknown): Promise<RpcError> => {
      const error: unknown = await ask(method, params).catch((error: unknown) => error);
      assert.ok(error instanceof RpcError, `an RpcError, not ${JSON.stringify(error)}`);
      return error;
    };
    await test({ session, config, configPath, logs, log, loads: () => loads, ask, refusal });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const STREAM = { request: { messages: [{ role: "user", content: "hi" }] } };
const MUTATE = { agent_id: "a", workspace: "/w", mutations: [] };

Deno.test("session answers initialize with the lifecycle's fields, the manifest and its features", async () => {
  await onStage(async ({ ask, configPath }) => {
    await Deno.writeTextFile(configPath, '{"supported_models": ["fast"]}');
    assert.deepEqual(await ask("initialize", { protocolVersion: "1999-01-01" }), {
      protocolVersion: "2025-06-18",
      serverInfo: { name: "plexum-openai-provider", version: VERSION },
      capabilities: {
        tools: {},
        logging: {},
        experimental: {
          plexum: {
            revision: 2,
            manifest: {
              name: "plexum-openai-provider",
              version: VERSION,
              activation: "lazy",
              executable: "plexum-openai-provider-plugin",
              contracts: { provider: { models: ["fast"] } },
            },
            features: [
              ...["stream", "session_mutate", "host_tools", "plugin_stats"],
              ...["text_deltas", "text_retracted", "context"],
            ],
          },
        },
      },
    });
  });
});

Deno.test("session answers ping and an empty tools/list at any time", async () => {
  await onStage(async ({ ask }) => {
    assert.deepEqual(await ask("ping"), {});
    assert.deepEqual(await ask("tools/list"), { tools: [] });
  });
});

Deno.test("session refuses domain calls before a good initialize, and takes them after a repair", async () => {
  await onStage(async ({ ask, refusal, configPath, loads }) => {
    await Deno.writeTextFile(configPath, '{\n  "binary": \n}');
    const early = await refusal("plexum/provider/stream", STREAM);
    assert.equal(early.code, -32002);
    assert.equal(early.message, "plexum/provider/stream before a successful initialize");

    const failed = await refusal("initialize");
    assert.equal(failed.code, -32000);
    assert.match(failed.message, new RegExp(`^parse ${configPath}: .* line 3, column 1`));
    assert.deepEqual(failed.data, {
      kind: "config",
      message: failed.message,
      retryable: false,
    });
    assert.equal((await refusal("plexum/session/mutate", MUTATE)).code, -32002);
    assert.equal((await refusal("plexum/plugin/stats")).code, -32002);
    assert.equal(loads(), 0);

    await Deno.writeTextFile(configPath, "{}");
    await ask("initialize");
    assert.deepEqual(await ask("plexum/provider/stream", STREAM), { stream: STREAM, id: 1 });
    assert.deepEqual(await ask("plexum/session/mutate", MUTATE), { mutate: MUTATE });
    assert.deepEqual(await ask("plexum/plugin/stats"), { turns: 1 });
    assert.equal(loads(), 1, "all of them share one provider");
  });
});

Deno.test("session that was initialized keeps working when a second initialize fails", async () => {
  await onStage(async ({ ask, refusal, configPath }) => {
    await ask("initialize");
    await Deno.writeTextFile(configPath, "[");
    assert.equal((await refusal("initialize")).code, -32000);
    assert.deepEqual(await ask("plexum/provider/stream", STREAM), { stream: STREAM, id: 1 });
  });
});

Deno.test("session loads the provider when the host says that it is ready", async () => {
  await onStage(async ({ session, ask, loads }) => {
    session.notification("notifications/initialized");
    assert.equal(loads(), 0, "there was no initialize yet");
    await ask("initialize");
    session.notification("notifications/novel");
    assert.equal(loads(), 0);
    session.notification("notifications/initialized");
    session.notification("notifications/initialized");
    assert.equal(loads(), 1);
    await ask("plexum/provider/stream", STREAM);
    assert.equal(loads(), 1);
  });
});

Deno.test("session that cannot load the provider says why, and tries again", async () => {
  let broken = true;
  await onStage(
    async ({ session, ask, refusal, loads }) => {
      await ask("initialize");
      session.notification("notifications/initialized");
      const failed = await refusal("plexum/provider/stream", STREAM);
      assert.equal(failed.code, -32000);
      assert.deepEqual(failed.data, {
        kind: "config",
        message: "the state directory is not ours",
        retryable: false,
      });
      broken = false;
      assert.deepEqual(await ask("plexum/provider/stream", STREAM), { stream: STREAM, id: 1 });
      assert.equal(loads(), 2);
    },
    () =>
      broken ? Promise.reject(new Error("the state directory is not ours")) : Promise.resolve(echo),
  );
});

const BAD_PARAMS: [method: string, params: unknown, message: string][] = [
  ["plexum/provider/stream", undefined, "request: expected object, found nothing"],
  ["plexum/provider/stream", [1], "the value: expected object, found array"],
  [
    "plexum/provider/stream",
    { agent: { agentId: 5 }, request: { messages: [] } },
    "agent.agent_id: expected string, found number 5",
  ],
  [
    "plexum/provider/stream",
    { request: { messages: [{ role: "user", content: [{ type: "text", text: 1 }] }] } },
    "request.messages[0].content[0].text: expected string, found number 1",
  ],
  [
    "plexum/session/mutate",
    { agent_id: "a", workspace: "/w", mutations: [{ blockId: 1, op: "o" }] },
    "mutations[0].block_id: expected string, found number 1",
  ],
  [
    "plexum/provider/stream",
    {
      request: {
        messages: [],
        output_schema: JSON.parse(`${'{"a":'.repeat(999)}1${"}".repeat(999)}`),
      },
    },
    "params: expected at most 1000 levels of nesting, found more",
  ],
  [
    "logging/setLevel",
    {},
    'level: expected one of "debug", "info", "notice", "warning", "error", "critical", "alert", ' +
    '"emergency", found nothing',
  ],
];

for (const [method, params, message] of BAD_PARAMS) {
  Deno.test(`session refuses ${method} with -32602: ${message.slice(0, 50)}`, async () => {
    await onStage(async ({ ask, refusal }) => {
      await ask("initialize");
      const error = await refusal(method, params);
      assert.equal(error.code, -32602);
      assert.equal(error.message, message);
    });
  });
}

Deno.test("session takes params in camelCase with unknown fields and blocks", async () => {
  await onStage(async ({ ask }) => {
    await ask("initialize");
    const params = {
      novelty: true,
      agent: { agentId: "cx", workspace: "/w" },
      request: { messages: [{ role: "user", content: [{ type: "video", url: "u" }] }] },
    };
    assert.deepEqual(await ask("plexum/provider/stream", params), {
      stream: { ...params, agent: { agent_id: "cx", workspace: "/w" } },
      id: 1,
    });
  });
});

Deno.test("session does not know other methods", async () => {
  await onStage(async ({ refusal }) => {
    for (const method of ["tools/call", "plexum/provider/streams", "constructor", ""]) {
      const error = await refusal(method);
      assert.equal(error.code, -32601);
      assert.equal(error.message, `unknown method ${JSON.stringify(method)}`);
    }
  });
});

Deno.test("session takes the log level from the configuration, then from the host", async () => {
  await onStage(async ({ session, ask, log, logs, configPath }) => {
    await Deno.writeTextFile(configPath, '{"log_level": "error", "binry": "x"}');
    await ask("initialize");
    assert.equal(log.level, "error");
    assert.deepEqual(await ask("logging/setLevel", { level: "debug" }), {});
    session.note("input failed", { error: "EIO" });
    assert.deepEqual(logs.at(-1)?.data, { msg: "input failed", error: "EIO" });
    assert.match(String(logs[0]?.data.msg), /unknown key "binry", did you mean "binary"/);
  });
});

Deno.test("session takes the log level of a changed file, unless the host has set one", async () => {
  await onStage(async ({ ask, log, config, configPath }) => {
    await ask("initialize");
    Deno.writeTextFileSync(configPath, '{"log_level": "warning"}');
    config.current();
    assert.equal(log.level, "warning");
    await ask("logging/setLevel", { level: "error" });
    Deno.writeTextFileSync(configPath, '{"log_level": "debug"} // changed');
    config.current();
    assert.equal(log.level, "error");
  });
});

Deno.test("session says where codex runs without a sandbox by a changed file, once", async () => {
  await onStage(async ({ ask, config, configPath, logs }) => {
    await ask("initialize");
    Deno.writeTextFileSync(configPath, '{"models": {"m": {"sandbox": "danger-full-access"}}}');
    config.current();
    config.current();
    assert.deepEqual(logs.map(({ data }) => data.where), [["models.m"]]);
  });
});

Deno.test("session says at every start where codex runs without a sandbox", async () => {
  await onStage(async ({ ask, configPath, logs }) => {
    await ask("initialize");
    assert.equal(logs.length, 0);
    const open = { sandbox: "danger-full-access" };
    Deno.writeTextFileSync(configPath, JSON.stringify({ ...open, agents: { cx: open, dx: {} } }));
    await ask("initialize");
    assert.deepEqual(logs.map(({ level, data }) => [level, data.where]), [
      ["warning", ["sandbox", "agents.cx"]],
    ]);
  });
});
