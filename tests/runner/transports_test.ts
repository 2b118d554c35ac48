import { strict as assert } from "node:assert";
import { carriedOver } from "../../runner/app_server/app_server.ts";
import { ServerUnusable } from "../../runner/app_server/process.ts";
import { capabilitiesOf } from "../../runner/codex/capabilities.ts";
import type { CodexBinary } from "../../runner/codex/codex_binary.ts";
import { marksByLimit } from "../../runner/process/turn_mark.ts";
import type { CodexEvent, RunInput, RunOutcome, Transport } from "../../runner/transport.ts";
import { keptBy, Transports, WithFallback } from "../../runner/transports.ts";
import type { TurnSettings } from "../../runner/turn_request.ts";
import { skipped } from "../support/skipped.ts";

function codex(version: string): CodexBinary {
  const capabilities = capabilitiesOf(`codex-cli ${version}`);
  assert.ok(capabilities);
  return { path: `/bin/codex-${version}`, found: "codex", stamp: "", capabilities, env: {} };
}

function choice(version: string, settings: Partial<TurnSettings>) {
  const plain = { transport: "auto", extraArgs: [], mcpRegistration: "per-run" };
  const { transport, because } = new Transports("/nowhere", () => {}).choose(
    { ...plain, ...settings } as TurnSettings,
    codex(version),
  );
  return [transport.name, because];
}

const ignore = skipped(!marksByLimit(), "the choice of how codex is run: there is no prlimit here");

Deno.test(
  "a turn takes the app-server from 0.158.0 on, unless the operator says exec",
  { ignore },
  () => {
    assert.deepEqual(choice("0.158.0", {}), ["app-server", undefined]);
    assert.deepEqual(choice("0.171.0", { transport: "app-server" }), ["app-server", undefined]);
    assert.deepEqual(choice("0.171.0", { transport: "exec" }), ["exec", undefined]);
    assert.deepEqual(choice("0.157.9", {}), ["exec", "codex 0.157.9 is older than 0.158.0"]);
  },
);

Deno.test("settings that have no codex stay keep none, and start none ahead", { ignore }, () => {
  const warm = { idleMs: 1, max: 2, spare: true };
  const kept = (settings: Partial<TurnSettings>) => {
    const plain = { transport: "auto", extraArgs: [], mcpRegistration: "per-run" } as const;
    return keptBy({ ...plain, warm: () => warm, ...settings });
  };
  assert.deepEqual(kept({}), warm);
  const rows: Partial<TurnSettings>[] = [
    { transport: "exec" },
    { extraArgs: ["--search"] },
    { mcpRegistration: "codex-config" },
  ];
  for (const row of rows) assert.deepEqual(kept(row), { idleMs: 0, max: 2, spare: false });
});

Deno.test("a turn takes exec where the app-server cannot do what is configured, and says why", () => {
  assert.deepEqual(choice("0.171.0", { mcpRegistration: "codex-config" }), [
    "exec",
    '`mcp_registration` is "codex-config"',
  ]);
  assert.deepEqual(choice("0.171.0", { extraArgs: ["-c", "a=1", "--profile", "x"] }), [
    "exec",
    '`extra_args` has "--profile"',
  ]);
});

Deno.test("arguments that stand for configuration are carried over, others named", () => {
  const carried = ["-c", "a=1", "-cb=2", "--config=c=3", "--enable", "x", "--disable=y"];
  assert.deepEqual(carriedOver([...carried, "--strict-config"]), [...carried, "--strict-config"]);
  assert.equal(carriedOver(["--enable"]), "--enable");
  assert.equal(carriedOver(["a=1"]), "a=1");
  assert.equal(carriedOver(["--oss"]), "--oss");
});

/** A transport that does the same each time. */
function playing(
  name: Transport["name"],
  told: CodexEvent[],
  outcome: Partial<RunOutcome>,
): Transport & { runs: number } {
  const whole: RunOutcome = {
    exit: undefined,
    refused: undefined,
    lingered: false,
    stderr: "",
    survivors: [],
    ...outcome,
  };
  const transport = {
    name,
    stays: name === "app-server",
    runs: 0,
    run: () => {
      transport.runs++;
      return { events: ReadableStream.from(told), outcome: Promise.resolve(whole) };
    },
    release: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  return transport;
}

async function played(
  transport: Transport,
  statuses: string[],
): Promise<[CodexEvent[], RunOutcome]> {
  const input = {
    codex: codex("0.171.0"),
    onStatus: (message: string) => statuses.push(message),
  } as unknown as RunInput;
  const run = transport.run(input, new AbortController().signal);
  return [await Array.fromAsync(run.events), await run.outcome];
}

Deno.test("a server that is of no use is told of, and exec runs this turn and the next ones", async () => {
  const first = playing("app-server", [], { refused: new ServerUnusable("no handshake", true) });
  const second = playing("exec", [{ type: "thread_started", threadId: "t" }], {});
  const transport = new WithFallback(first, second);
  const statuses: string[] = [];
  assert.equal(transport.whyNot(codex("0.171.0")), undefined);
  const [events, { refused }] = await played(transport, statuses);
  assert.deepEqual([events.length, refused], [1, undefined]);
  assert.deepEqual([first.runs, second.runs, statuses.length], [1, 1, 1]);
  assert.match(statuses[0] ?? "", /no handshake/);
  assert.equal(transport.whyNot(codex("0.171.0")), "its app-server was of no use lately");
  const replaced = { ...codex("0.171.0"), stamp: "another" };
  assert.equal(transport.whyNot(replaced), undefined, "it may be better");
});

Deno.test("a warm server that died is tried again by the next turn", async () => {
  const first = playing("app-server", [], { refused: new ServerUnusable("gone") });
  const second = playing("exec", [{ type: "thread_started", threadId: "t" }], {});
  const transport = new WithFallback(first, second);
  await played(transport, []);
  assert.deepEqual([first.runs, second.runs], [1, 1]);
  assert.equal(transport.whyNot(codex("0.171.0")), undefined);
});

Deno.test("what keeps exec from starting, too, is no fault of the app-server", async () => {
  const first = playing("app-server", [], { refused: new ServerUnusable("broken", true) });
  const second = playing("exec", [], { refused: new Error("broken") });
  const transport = new WithFallback(first, second);
  const statuses: string[] = [];
  const [, { refused }] = await played(transport, statuses);
  assert.equal(refused?.message, "broken");
  assert.deepEqual([first.runs, second.runs, statuses], [1, 1, []]);
  assert.equal(transport.whyNot(codex("0.171.0")), undefined);
});

Deno.test("what codex itself refuses is not run a second time", async () => {
  const refused = new Error("no such thread");
  const first = playing("app-server", [], { refused });
  const second = playing("exec", [], {});
  const [, outcome] = await played(new WithFallback(first, second), []);
  assert.equal(outcome.refused, refused);
  assert.equal(second.runs, 0);
});
