/** Turns of a real codex by the app-server transport, on every version that it is used with. */
import { strict as assert } from "node:assert";
import { existsSync } from "node:fs";
import { join } from "@std/path";
import { processRows } from "../../../runner/process/process_table.ts";
import { TurnError } from "../../../runner/turn_event.ts";
import { execTurn } from "../../rollout/codex_turn.ts";
import { command } from "../../support/model/items.ts";
import { codexBinary } from "../../support/codex.ts";
import { PIXEL } from "../../support/pixel.ts";
import { skipped } from "../../support/skipped.ts";
import { codexCanSandbox } from "../../support/user_namespaces.ts";
import { APP_SERVER_VERSIONS, Rig } from "./rig.ts";

const NO_SANDBOX = skipped(!codexCanSandbox(), "what codex's sandbox forbids: it cannot work here");
const shell = (cmd: string) => ({ items: [command(cmd)] });

for (const version of APP_SERVER_VERSIONS) {
  Deno.test(`app-server ${version}: a thread goes on in one process, and its pieces equal its text`, async () => {
    await using rig = await Rig.real(version, {
      steps: [{ text: "Hello world, this is streamed.", chunk: 5 }, { text: "again" }],
    });
    const first = await rig.good();
    assert.equal(first.text, "Hello world, this is streamed.");
    assert.equal(first.pieces, first.text);
    assert.ok(first.events.filter(({ type }) => type === "message_delta").length > 3);
    const [server] = rig.transport.snapshot().servers;
    const second = await rig.good({ threadId: first.threadId, prompt: "and then" });
    assert.equal(second.threadId, first.threadId);
    assert.equal(rig.transport.snapshot().servers[0]?.pid, server?.pid);
    assert.deepEqual(
      second.events.map(({ type }) => type).filter((type) => type !== "alive"),
      ["thread_started", "turn_started", "message_delta", "message", "context", "turn_completed"],
    );
    const asked = JSON.stringify(rig.sandbox.model.asked[1]?.input);
    assert.ok(asked.includes("this is streamed") && asked.includes("and then"), asked);
  });

  Deno.test(`app-server ${version}: reasoning is told in pieces that equal its parts`, async () => {
    await using rig = await Rig.real(version, {
      steps: [{
        items: [
          { type: "reasoning", summary: ["**First** thoughts", "**Second** thoughts"] },
          { type: "message", text: "done" },
        ],
      }],
    });
    const { events } = await rig.good();
    const whole = events.flatMap((event) => event.type === "reasoning" ? [event.text] : []);
    assert.deepEqual(whole, ["**First** thoughts\n**Second** thoughts"]);
    const pieces = events.flatMap((event) => event.type === "reasoning_delta" ? [event.text] : []);
    assert.equal(pieces.join(""), whole[0]);
  });

  Deno.test(`app-server ${version}: what a broken stream had begun is taken back`, async () => {
    await using rig = await Rig.real(version, {
      steps: [{ text: "partial text that is cut", chunk: 5, cutAfterEvents: 6 }, {
        text: "the whole answer",
      }],
    }, { extraArgs: ["-c", "model_providers.scripted.stream_max_retries=2"] });
    const { events, text, pieces } = await rig.good();
    assert.equal(text, "the whole answer");
    assert.equal(pieces, text);
    const retracted = events.findIndex(({ type }) => type === "retracted");
    assert.ok(events.slice(0, retracted).some(({ type }) => type === "message_delta"));
    const notice = events.find((event) => event.type === "notice");
    assert.match(notice?.message ?? "", /^Reconnecting\.\.\. 1\/2 \(stream disconnected/);
  });

  Deno.test(`app-server ${version}: an error has codex's name as the rollout spells it`, async () => {
    await using rig = await Rig.real(version, {
      steps: [{ status: 401, error: { message: "bad key" } }, {
        failed: { code: "context_length_exceeded", message: "too long" },
      }],
    });
    const denied = await rig.play();
    const last = denied.events.at(-1);
    assert.equal(last?.type, "turn_failed");
    assert.match(last.message, /401 Unauthorized/);
    const full = (await rig.play({ threadId: denied.threadId })).events.at(-1);
    assert.equal(full?.type, "turn_failed");
    assert.equal(full.info, "context_window_exceeded");
    if (version !== "0.158.0") {
      assert.deepEqual(last.info, { http_connection_failed: { http_status_code: 401 } });
    }
  });

  Deno.test(`app-server ${version}: images, an output schema and instructions reach the model`, async () => {
    await using rig = await Rig.real(version, { fallback: { text: '{"a":1}' } });
    const image = join(rig.sandbox.workspace, "dot.png");
    Deno.writeFileSync(image, Uint8Array.from(atob(PIXEL.png), (char) => char.charCodeAt(0)));
    const schema = {
      type: "object",
      properties: { a: { type: "number" } },
      required: ["a"],
      additionalProperties: false,
    };
    await rig.good({ images: [image], outputSchema: schema, instructions: "Speak like a pirate." });
    const [asked] = rig.sandbox.model.asked;
    const text = JSON.stringify(asked);
    assert.ok(text.includes("data:image/png;base64,"), text);
    assert.ok(text.includes("Speak like a pirate."), text);
    assert.ok(text.includes('"additionalProperties":false'), text);
  });

  Deno.test(`app-server ${version}: a prompt that is too long is refused, and the longest is taken`, async () => {
    await using rig = await Rig.real(version);
    const { outcome, events } = await rig.play({ prompt: "x".repeat(1_048_577) });
    assert.ok(outcome.refused instanceof TurnError, String(outcome.refused));
    assert.deepEqual(events, []);
    await rig.good({ prompt: "x".repeat(1_048_576) });
  });

  Deno.test(`app-server ${version}: a turn whose host tools are not there is not told to codex`, async () => {
    await using rig = await Rig.real(version, { steps: [{ text: "done" }] });
    const { events, outcome } = await rig.play({ prompt: "once", hasHostTools: () => false });
    assert.deepEqual(events, []);
    assert.ok(outcome.refused instanceof TurnError, String(outcome.refused));
    assert.equal(outcome.refused.failure.kind, "mcp_unavailable");
    assert.equal(rig.sandbox.model.asked.length, 0);
    await rig.play({ prompt: "once" });
    assert.equal(JSON.stringify(rig.sandbox.model.asked).split('"once"').length, 2);
  });

  Deno.test(`app-server ${version}: a thread that codex lost is refused, and the server goes on`, async () => {
    await using rig = await Rig.real(version);
    const { outcome, events } = await rig.play({
      threadId: "01a218ae-9a95-7ab0-8648-1825dcd2863c",
    });
    assert.ok(outcome.refused instanceof TurnError, String(outcome.refused));
    assert.equal(outcome.refused.failure.kind, "session_lost");
    assert.deepEqual(events, []);
    await rig.good();
    assert.equal(rig.transport.snapshot().hits, 1);
  });

  Deno.test(`app-server ${version}: an edited rollout is read again, twice in a row`, async () => {
    await using rig = await Rig.real(version, {
      steps: [{ text: "the NEEDLE-A and the NEEDLE-B" }, { text: "two" }, { text: "three" }],
    });
    const { threadId } = await rig.good();
    for (const [n, needle] of ["NEEDLE-A", "NEEDLE-B"].entries()) {
      const path = rolloutOf(rig.sandbox.codexHome);
      Deno.writeTextFileSync(path, Deno.readTextFileSync(path).replaceAll(needle, "x".repeat(8)));
      await rig.transport.release(rig.base, "reload");
      await rig.good({ threadId });
      const asked = JSON.stringify(rig.sandbox.model.asked[n + 1]?.input);
      assert.ok(!asked.includes(needle) && asked.includes("xxxxxxxx"), asked);
    }
    assert.equal(rig.transport.snapshot().misses, 1, "all in one process");
  });

  Deno.test(`app-server ${version}: two agents of a workspace take turns in one thread`, async () => {
    await using rig = await Rig.real(version);
    const { threadId } = await rig.good({ agentId: "one" });
    await rig.good({ agentId: "two", threadId });
    await rig.good({ agentId: "one", threadId });
    assert.equal(rig.sandbox.model.asked.length, 3);
    assert.equal(rig.transport.snapshot().servers.length, 2);
  });

  Deno.test(`app-server ${version}: a loaded thread whose file is gone is lost`, async () => {
    await using rig = await Rig.real(version);
    const { threadId } = await rig.good();
    await rig.good({ threadId });
    Deno.removeSync(rolloutOf(rig.sandbox.codexHome));
    const { outcome } = await rig.play({ threadId });
    assert.ok(outcome.refused instanceof TurnError, String(outcome.refused));
    assert.equal(outcome.refused.failure.kind, "session_lost");
  });

  Deno.test(`app-server ${version}: a thread that is given up can be had by codex exec, and back`, async () => {
    const { native } = await codexBinary(version);
    await using rig = await Rig.real(version);
    const { threadId } = await rig.good();
    const refused = await execTurn(rig.sandbox, native, threadId);
    assert.match(refused.stderr, /already has an active writer/);
    await rig.transport.release(rig.base, "leave");
    const allowed = await execTurn(rig.sandbox, native, threadId);
    assert.equal(allowed.code, 0, allowed.stderr);
    await rig.good({ threadId });
    assert.equal(rig.sandbox.model.asked.length, 3);
  });

  Deno.test({
    name: `app-server ${version}: each turn has its own sandbox, and config.toml stays as it is`,
    ignore: NO_SANDBOX,
  }, async () => {
    await using rig = await Rig.real(version, { fallback: { text: "done" } });
    const config = join(rig.sandbox.codexHome, "config.toml");
    const before = Deno.readTextFileSync(config);
    const { workspace } = rig.sandbox;
    const extra = await rig.sandbox.newWorkspace("extra");
    const elsewhere = await rig.sandbox.newWorkspace("elsewhere");
    const places = { workspace, extra, elsewhere };
    let threadId: string | undefined;
    for (
      const [sandbox, may] of [
        ["workspace-write", ["workspace", "extra"]],
        ["read-only", []],
        ["danger-full-access", ["workspace", "extra", "elsewhere"]],
        ["read-only", []],
      ] as const
    ) {
      const cmd = Object.values(places).map((place) => `echo x > ${place}/made`).join("; ");
      rig.sandbox.model.setSteps([shell(cmd)]);
      ({ threadId } = await rig.good({ threadId, sandbox, writableRoots: [extra] }));
      const made = Object.entries(places).filter(([, place]) => existsSync(`${place}/made`));
      assert.deepEqual(made.map(([name]) => name), may, sandbox);
      for (const [, place] of made) Deno.removeSync(`${place}/made`);
    }
    assert.equal(Deno.readTextFileSync(config), before);
  });

  Deno.test({
    name: `app-server ${version}: what a workspace plants for codex is not believed`,
    ignore: NO_SANDBOX,
  }, async () => {
    await using rig = await Rig.real(version, {
      steps: [shell("touch /tmp/../$HOME/escaped; touch ~/escaped")],
      fallback: { text: "done" },
    });
    const { workspace, codexHome, home } = rig.sandbox;
    const config = join(codexHome, "config.toml");
    const before = Deno.readTextFileSync(config);
    plant(workspace, join(codexHome, "planted"));
    const { threadId } = await rig.good();
    await rig.transport.release(rig.base, "reload");
    await rig.good({ threadId });
    await rig.good({ threadId, sandbox: "danger-full-access" });
    assert.equal(existsSync(join(codexHome, "planted")), false, "a server of the workspace ran");
    assert.equal(existsSync(join(home, "escaped")), false, "a rule of the workspace was believed");
    assert.equal(rig.sandbox.model.asked.some(({ model }) => model === "planted-model"), false);
    assert.equal(Deno.readTextFileSync(config), before, "config.toml is the user's");
  });

  Deno.test(`app-server ${version}: a workspace is believed where the operator says so`, async () => {
    await using rig = await Rig.real(version);
    plant(rig.sandbox.workspace, join(rig.sandbox.codexHome, "planted"));
    await rig.play({ trustWorkspace: true });
    assert.ok(existsSync(join(rig.sandbox.codexHome, "planted")));
  });

  Deno.test(`app-server ${version}: a changed config.toml is heard by the next turn`, async () => {
    await using rig = await Rig.real(version);
    const { threadId } = await rig.good();
    const config = join(rig.sandbox.codexHome, "config.toml");
    Deno.writeTextFileSync(
      config,
      `web_search = "disabled"\n${Deno.readTextFileSync(config)}`,
    );
    await rig.good({ threadId });
    const searches = rig.sandbox.model.asked.map((asked) =>
      JSON.stringify(asked).includes('"type":"web_search"')
    );
    assert.deepEqual(searches, [true, false]);
  });

  Deno.test(`app-server ${version}: a turn without a model has the configured one and its effort, whatever the last one had`, async () => {
    await using rig = await Rig.real(version, { steps: [{ text: "said", repeat: true }] });
    const config = join(rig.sandbox.codexHome, "config.toml");
    const written = Deno.readTextFileSync(config);
    const configure = (effort: string) =>
      Deno.writeTextFileSync(config, `model_reasoning_effort = "${effort}"\n${written}`);
    configure("high");
    const { threadId } = await rig.good({ model: "gpt-5.4" });
    configure("low");
    await rig.good({ threadId });
    await rig.good({ threadId, model: "gpt-5.4" });
    await rig.good({
      threadId,
      extraArgs: ["-c", "model=gpt-5.4", "-c", "model_reasoning_effort=medium"],
    });
    await rig.good({ threadId });
    const asked = rig.sandbox.model.asked.map(({ model, reasoning }) =>
      `${model} ${/"effort":"(.*?)"/.exec(JSON.stringify(reasoning))?.[1]}`
    );
    assert.deepEqual(asked, [
      "gpt-5.4 high",
      "gpt-5.5 low",
      "gpt-5.4 low",
      "gpt-5.4 medium",
      "gpt-5.5 low",
    ]);
  });

  Deno.test(`app-server ${version}: in a trusted workspace a turn has the effort of its arguments, whatever the last one had`, async () => {
    await using rig = await Rig.real(version, { steps: [{ text: "said", repeat: true }] });
    const efforts = ["high", "low"];
    let threadId: string | undefined;
    for (const effort of efforts) {
      const extraArgs = ["-c", `model_reasoning_effort=${effort}`];
      ({ threadId } = await rig.good({ threadId, trustWorkspace: true, extraArgs }));
    }
    const asked = rig.sandbox.model.asked.map(({ reasoning }) =>
      /"effort":"(.*?)"/.exec(JSON.stringify(reasoning))?.[1]
    );
    assert.deepEqual(asked, efforts);
  });

  Deno.test(`app-server ${version}: instructions that change between two turns count at once, wherever they are`, async () => {
    await using rig = await Rig.real(version, { steps: [{ text: "said", repeat: true }] });
    const { root, codexHome } = rig.sandbox;
    const cwd = join(root, "project", "part", "deep");
    Deno.mkdirSync(cwd, { recursive: true });
    Deno.mkdirSync(join(root, "project", ".git"));
    const config = join(codexHome, "config.toml");
    const write = (path: string, text: string) => Deno.writeTextFileSync(path, `${text}\n`);
    write(join(codexHome, "all.md"), "INSTRUCTIONS");
    const names =
      'model_instructions_file = "all.md"\nproject_doc_fallback_filenames = ["NOTES.md"]\n';
    Deno.writeTextFileSync(config, names + Deno.readTextFileSync(config));
    const input = { cwd, workspace: cwd };
    let { threadId } = await rig.good(input);
    const documents = {
      "at the project's root": join(root, "project", "AGENTS.md"),
      "in between": join(root, "project", "part", "AGENTS.override.md"),
      "under a name of the user's": join(cwd, "NOTES.md"),
      "in the user's home": join(codexHome, "AGENTS.md"),
    };
    const files = { ...documents, "in place of codex's own": join(codexHome, "all.md") };
    for (const [where, path] of Object.entries(files)) {
      for (const text of ["made just now", "changed just now"].map((what) => `${what} ${where}`)) {
        write(path, text);
        ({ threadId } = await rig.good({ ...input, threadId }));
        assert.ok(JSON.stringify(rig.sandbox.model.asked.at(-1)).includes(text), text);
      }
    }
    assert.equal(rig.transport.snapshot().misses, 1, "all in one process");
  });

  Deno.test(`app-server ${version}: a skill that changes between two turns counts at once`, async () => {
    await using rig = await Rig.real(version, { steps: [{ text: "said", repeat: true }] });
    const skill = join(rig.sandbox.codexHome, "skills", "tried");
    Deno.mkdirSync(skill, { recursive: true });
    let threadId: string | undefined;
    for (const text of ["does one thing", "does another thing"]) {
      const head = `---\nname: tried\ndescription: ${text}\n---\nbody\n`;
      Deno.writeTextFileSync(join(skill, "SKILL.md"), head);
      ({ threadId } = await rig.good({ threadId }));
      assert.ok(JSON.stringify(rig.sandbox.model.asked.at(-1)).includes(text), text);
    }
  });

  Deno.test(`app-server ${version}: a rule that comes between two turns counts at once`, async () => {
    await using rig = await Rig.real(version, {
      steps: [shell("touch one"), { text: "one" }, shell("touch two"), { text: "two" }],
    }, { sandbox: "danger-full-access" });
    const { threadId } = await rig.good();
    const rules = join(rig.sandbox.codexHome, "rules");
    Deno.mkdirSync(rules, { recursive: true });
    const rule = 'prefix_rule(pattern=["touch"], decision="forbidden")\n';
    Deno.writeTextFileSync(join(rules, "default.rules"), rule);
    await rig.good({ threadId });
    const made = ["one", "two"].map((name) => existsSync(join(rig.sandbox.workspace, name)));
    assert.deepEqual(made, [true, false]);
  });

  Deno.test(`app-server ${version}: the user's notify program finishes, and one that does not is ended`, async () => {
    await using rig = await Rig.real(version, {
      steps: [
        ...[shell("true"), { text: "one" }, { text: "two" }],
        ...[shell("true"), { text: "three" }, { text: "four" }],
      ],
    });
    const done = join(rig.sandbox.root, "notified");
    const program = join(rig.sandbox.root, "notify");
    Deno.writeTextFileSync(program, `#!/bin/sh\nsleep 0.4\necho "$1" >> '${done}'\n`);
    Deno.chmodSync(program, 0o755);
    const config = join(rig.sandbox.codexHome, "config.toml");
    const notify = `notify = [${JSON.stringify(program)}]\n`;
    Deno.writeTextFileSync(config, notify + Deno.readTextFileSync(config));
    const told = () => Deno.readTextFileSync(done).match(/agent-turn-complete/g)?.length;
    const { threadId } = await rig.good();
    assert.equal(told(), 1);
    const [first] = rig.transport.snapshot().servers;
    await rig.good({ threadId, warm: () => ({ idleMs: 0, max: 1, spare: false }) });
    assert.equal(told(), 2, "also where the turn used no tool, and codex goes with it");

    Deno.writeTextFileSync(program, "#!/bin/sh\nsleep 1000000 &\nsleep 1000000\n");
    for (const turn of ["with a tool", "without one"]) {
      await rig.good({ threadId });
      const servers = rig.transport.snapshot().servers.map(({ pid }) => pid);
      assert.notDeepEqual(servers, [first?.pid]);
      assert.deepEqual((await rig.sandbox.processes()).map(({ pid }) => pid), servers, turn);
    }
  });

  Deno.test(`app-server ${version}: a user's MCP server that does not start is told, and no fault of the turn`, async () => {
    await using rig = await Rig.real(version, { steps: [{ text: "one" }] });
    const config = join(rig.sandbox.codexHome, "config.toml");
    const server = '\n[mcp_servers.lab]\ncommand = "/bin/false"\n';
    Deno.writeTextFileSync(config, Deno.readTextFileSync(config) + server);
    const { events } = await rig.good();
    const told = events.flatMap((event) => event.type === "warning" ? [event.message] : []);
    assert.match(told.join("\n"), /lab.* failed to start/);
  });

  Deno.test(`app-server ${version}: the user's MCP servers live on from turn to turn`, async () => {
    await using rig = await Rig.real(version, {
      steps: [shell("true"), { text: "one" }, shell("true"), { text: "two" }],
    });
    const path = addUserServer(rig);
    const { threadId } = await rig.good();
    const one = await serversAt(rig, path);
    await rig.good({ threadId });
    assert.deepEqual(await serversAt(rig, path), one);
    assert.equal(one.length, 1);
  });

  Deno.test(`app-server ${version}: what a user's MCP server starts in a turn lives on with it, and a command's child does not`, async () => {
    const leaves = "(setsid sleep 1000000 & echo $! > left) >/dev/null 2>&1 </dev/null";
    await using rig = await Rig.real(version, {
      steps: [
        shell(`touch go; ${leaves}; until [ -s started ]; do sleep 0.01; done`),
        { text: "one" },
        shell("true"),
        { text: "two" },
      ],
    }, { sandbox: "danger-full-access" });
    const { workspace } = rig.sandbox;
    addUserServer(
      rig,
      `import { spawn } from "node:child_process";
import { existsSync, renameSync, writeFileSync } from "node:fs";
const timer = setInterval(() => {
  if (!existsSync("${workspace}/go")) return;
  clearInterval(timer);
  const pids = [false, true].map((detached) => spawn("sleep", ["1000000"], { detached }).pid);
  writeFileSync("${workspace}/starting", pids.join(" "));
  renameSync("${workspace}/starting", "${workspace}/started");
}, 5);
`,
    );
    const pidsIn = (name: string) =>
      Deno.readTextFileSync(join(workspace, name)).trim().split(" ").map(Number);
    const { threadId } = await rig.good();
    const helpers = pidsIn("started");
    const living = async () => pidsOf(await processRows([...helpers, ...pidsIn("left")]));
    assert.deepEqual(await living(), helpers);
    await rig.good({ threadId });
    assert.deepEqual(await living(), helpers);
    await rig.transport.close();
    assert.deepEqual(await living(), [], "they go with codex");
  });
}

const pidsOf = (rows: { pid: number }[]) => rows.map(({ pid }) => pid);

/** Gives codex an MCP server of the user's, which first runs `more`; returns its path. */
function addUserServer({ sandbox }: Rig, more = ""): string {
  const server = `import { createInterface } from "node:readline";
${more}for await (const line of createInterface({ input: process.stdin })) {
  const { id, method } = JSON.parse(line);
  const result = method === "initialize"
    ? { protocolVersion: "2025-06-18", capabilities: { tools: {} }, serverInfo: { name: "u", version: "1" } }
    : { tools: [] };
  if (id !== undefined) console.log(JSON.stringify({ jsonrpc: "2.0", id, result }));
}`;
  const path = join(sandbox.root, "user_server.mjs");
  Deno.writeTextFileSync(path, server);
  Deno.writeTextFileSync(
    join(sandbox.codexHome, "config.toml"),
    `\n[mcp_servers.users]\ncommand = "node"\nargs = ["${path}"]\n`,
    { append: true },
  );
  return path;
}

async function serversAt({ sandbox }: Rig, path: string): Promise<number[]> {
  return (await sandbox.processes()).filter(({ command }) => command.includes(`node ${path}`))
    .map(({ pid }) => pid);
}

/** Everything by which a workspace might get hold of a codex. */
function plant(workspace: string, trace: string): void {
  const folder = join(workspace, ".codex");
  Deno.mkdirSync(join(folder, "rules"), { recursive: true });
  Deno.writeTextFileSync(
    join(folder, "config.toml"),
    `model = "planted-model"\n[mcp_servers.planted]\ncommand = "/bin/sh"\nargs = ["-c", "touch ${trace}"]\n`,
  );
  Deno.writeTextFileSync(
    join(folder, "rules", "default.rules"),
    'prefix_rule(pattern=["touch"], decision="allow")\n',
  );
}

function rolloutOf(codexHome: string): string {
  const found: string[] = [];
  const look = (folder: string): void => {
    for (const entry of Deno.readDirSync(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory) look(path);
      else if (entry.name.startsWith("rollout-")) found.push(path);
    }
  };
  look(join(codexHome, "sessions"));
  assert.equal(found.length, 1);
  return found[0] ?? "";
}
