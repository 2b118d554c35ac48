/** What the host gives a turn, and that it reaches the model: text, images, schema, instructions. */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import type { ModelRequest } from "../support/model/request.ts";
import { NEWEST_CODEX, OLDEST_CODEX } from "../support/codex.ts";
import { RpcError } from "../support/rpc_error.ts";
import { asks, EVERY_WAY, openWorld } from "./world.ts";

const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/** All texts of messages of that role, in order. */
function textsOf({ input }: ModelRequest, role: string): string[] {
  const items = input as { type?: string; role?: string; content?: { text?: string }[] }[];
  return items.filter((item) => item.role === role)
    .flatMap(({ content = [] }) => content.flatMap(({ text }) => text ?? []));
}

const imagesOf = ({ input }: ModelRequest): string[] =>
  [...JSON.stringify(input).matchAll(/"image_url":"(data:[^"]{1,30})/g)].map(([, url]) =>
    url ?? ""
  );

for (const version of EVERY_WAY) {
  Deno.test(`prompts that a command line would misread reach the model on codex ${version}`, async () => {
    await using world = await openWorld(version);
    const { host, sandbox } = world;
    const long = "300 KB \u2028 \u{1f600}".repeat(20_000);
    for (const [n, prompt] of ["-starts with a dash", "--help", "resume", long].entries()) {
      const workspace = await sandbox.newWorkspace(`w${n}`);
      for (const _ of ["new thread", "resumed"]) {
        const turn = host.stream(asks(workspace, prompt));
        assert.equal((await turn.result).stop_reason, "end_turn", prompt.slice(0, 30));
        const asked = sandbox.model.asked.at(-1);
        assert.equal(asked && textsOf(asked, "user").at(-1), prompt);
      }
    }
  });

  Deno.test(`images of every kind reach the model on codex ${version}, and leave no file`, async () => {
    await using world = await openWorld(version);
    const { host, sandbox } = world;
    await Deno.writeFile(
      join(sandbox.workspace, "a pixel.png"),
      Uint8Array.from(atob(PIXEL), (c) => c.charCodeAt(0)),
    );
    const content = [
      { type: "image", path: "a pixel.png" },
      { type: "text", text: "look" },
      { type: "image", data_base64: PIXEL, media_type: "image/png" },
      { type: "image", url: `data:image/png;base64,${PIXEL}` },
    ];
    for (const images of [3, 6]) { // a new thread, then a resumed one
      const turn = host.stream({
        ...asks(sandbox.workspace, ""),
        request: { messages: [{ role: "user", content }] },
      });
      assert.equal((await turn.result).stop_reason, "end_turn", turn.story());
      const asked = sandbox.model.asked.at(-1);
      assert.equal(asked && imagesOf(asked).length, images);
    }
    const running = join(sandbox.profile, "plugins/plexum-openai-provider/state/running");
    const files = [...Deno.readDirSync(running)]
      .flatMap(({ name }) => [...Deno.readDirSync(join(running, name))])
      .map(({ name }) => name);
    assert.deepEqual(files.filter((name) => name !== "lock"), []);
  });

  Deno.test(`output schema reaches the model on codex ${version}, also on a resume`, async () => {
    await using world = await openWorld(version, { fallback: { text: '{"ok":true}' } });
    const { host, sandbox } = world;
    const schema = {
      type: "object",
      properties: { ok: { type: "boolean" } },
      required: ["ok"],
      additionalProperties: false,
    };
    for (const _ of ["new", "resumed"]) {
      const turn = host.stream(asks(sandbox.workspace, "json please", { output_schema: schema }));
      await turn.result;
      assert.equal(turn.text, '{"ok":true}');
      const asked: unknown = sandbox.model.asked.at(-1);
      assert.match(JSON.stringify(asked), /"format":\{[^}]*"type":"json_schema"/);
    }
    await host.stream(asks(sandbox.workspace, "and without")).result;
    assert.doesNotMatch(JSON.stringify(sandbox.model.asked.at(-1)), /"type":"json_schema"/);
  });

  Deno.test(`instructions reach the model on codex ${version}, changed ones too, codex's own stay`, async () => {
    await using world = await openWorld(version);
    const { host, sandbox } = world;
    const ask = async (system?: string) => {
      await host.stream(asks(sandbox.workspace, "hello", system === undefined ? {} : { system }))
        .result;
      const asked = sandbox.model.asked.at(-1);
      assert.ok(asked);
      return asked;
    };
    const first = await ask('be "kind"\nand\tbrief');
    assert.ok(textsOf(first, "developer").some((text) => text.includes('be "kind"\nand\tbrief')));
    const same = await ask('be "kind"\nand\tbrief');
    assert.equal(textsOf(same, "user").filter((text) => text.includes("kind")).length, 0);
    const changed = await ask("be loud");
    assert.match(textsOf(changed, "user").at(-1) ?? "", /be loud[^]*hello$/);
    const later = await ask("be loud");
    assert.equal(textsOf(later, "user").filter((text) => text.includes("be loud")).length, 1);
    const without = await ask();
    assert.equal(textsOf(without, "user").at(-1), "hello");
    // 0.169 sends it as the first developer message.
    const base = (request: ModelRequest) =>
      request.instructions ?? textsOf(request, "developer")[0];
    assert.equal(base(changed), base(first), "codex's base prompt is its own");
    assert.ok(String(base(first)).length > 100);
  });
}

const HALF = "half \ud83d";
const WHOLE = "half \ufffd";

for (const version of EVERY_WAY) {
  Deno.test(`half a character, wherever the host sends it, loses nothing on codex ${version}`, async () => {
    const schema = {
      type: "object",
      properties: { half: { type: "string", description: HALF } },
    };
    await using world = await openWorld(version, {
      steps: [
        {
          items: [{ type: "function_call", namespace: "mcp__plexum_host", name: "odd", args: {} }],
        },
        { text: "{}" },
      ],
      onToolCall: () => ({ content: [{ type: "text", text: HALF }] }),
    });
    const { host, sandbox } = world;
    const turn = host.stream(asks(sandbox.workspace, HALF, {
      system: HALF,
      tools: [
        { name: "odd", title: HALF, description: HALF, inputSchema: schema },
        { name: HALF, inputSchema: { type: "object" }, annotations: { title: 5, [HALF]: HALF } },
      ],
      output_schema: schema,
    }));
    assert.equal((await turn.result).stop_reason, "end_turn", turn.story());
    assert.deepEqual(turn.of("status"), []);
    const [first, second] = sandbox.model.asked;
    assert.ok(first && second);
    assert.equal(textsOf(first, "user").at(-1), WHOLE);
    assert.ok(textsOf(first, "developer").some((text) => text.includes(WHOLE)));
    const sent = JSON.stringify(first);
    assert.match(sent, /"description":"half \ufffd"/);
    assert.match(sent, /mcp__plexum_host[^]*half__/, "the other tool is there, too");
    assert.ok(JSON.stringify(second.input).includes(WHOLE), "the tool's answer");
  });
}

Deno.test("instructions too long for an argument reach the model", async () => {
  await using world = await openWorld(NEWEST_CODEX);
  const system = "mind this. ".repeat(30_000);
  const { host, sandbox } = world;
  await host.stream(asks(sandbox.workspace, "hello", { system })).result;
  assert.ok(textsOf(sandbox.model.asked[0] ?? assert.fail(), "user").at(-1)?.includes(system));
});

for (const version of [OLDEST_CODEX, NEWEST_CODEX]) {
  Deno.test(`prompt too long for codex ${version} is refused before codex sees it`, async () => {
    await using world = await openWorld(version);
    const { host, sandbox } = world;
    const longest = "\u{1f600}".repeat(1_048_576);
    const refused = await host.stream(asks(sandbox.workspace, longest + "x")).result
      .catch((error: unknown) => error);
    assert.ok(refused instanceof RpcError);
    assert.match(refused.message, /1048577 characters, at most 1048576/);
    assert.equal(sandbox.model.asked.length, 0);
    const turn = host.stream(asks(sandbox.workspace, longest));
    assert.equal((await turn.result).stop_reason, "end_turn", "the limit is codex's own");
  });
}
