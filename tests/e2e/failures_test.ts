/** Every way in which a real codex fails, and what the host is told of it. */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { decodeBase64 } from "../../base/picture.ts";
import type { ErrorBody } from "../../plugin/protocol.ts";
import { MIDDLE_CODEX, NEWEST_CODEX, OLDEST_CODEX } from "../support/codex.ts";
import { PIXEL } from "../support/pixel.ts";
import { canMount, mountSmall } from "../support/mounted.ts";
import { message, override, ROWS } from "./failure_rows.ts";
import { renamedProvider } from "../../scripts/proof/matrix/machine.ts";
import { asks, EVERY_WAY, openWorld, plays, refusalOf, STAYING } from "./world.ts";
import { skipped } from "../support/skipped.ts";

for (const version of [...EVERY_WAY, "0.169.0"]) {
  Deno.test(`failures of codex ${version} are named right`, async (t) => {
    await using world = await openWorld(version, { config: { retries: 0 } });
    const { host, sandbox } = world;
    // One that stays is not started anew for each failure: its thread goes on, until it is full.
    let workspace = sandbox.workspace;
    for (const [n, row] of ROWS.entries()) {
      if (row.except?.includes(version)) continue;
      await t.step(row.name, async () => {
        await sandbox.configure({ retries: 0, ...row.config });
        sandbox.model.setSteps(row.step === undefined ? [] : [row.step]);
        const turn = host.stream(asks(workspace, "hello"));
        let error: ErrorBody | undefined;
        if (row.atStart) {
          error = await refusalOf(turn);
        } else {
          assert.equal((await turn.result).stop_reason, "error", turn.story());
          error = turn.of("error")[0]?.error;
        }
        const kind = typeof row.kind === "string" ? row.kind : row.kind(version);
        assert.equal(error?.kind, kind, turn.story());
        if (kind === row.kind) assert.equal(error?.retryable, row.retryable);
        assert.ok((error?.hint ?? "") !== "", "a hint says what can be done");
        if (error !== undefined) row.check?.(error);
        if (!STAYING.includes(version) || kind === "context_overflow") {
          workspace = await sandbox.newWorkspace(`w${n}`);
        }
      });
    }
  });

  Deno.test(`incomplete response of codex ${version} ends as max_tokens`, async () => {
    await using world = await openWorld(version, {
      steps: [{ text: "half an answer", incomplete: "max_output_tokens" }],
    });
    const turn = world.host.stream(asks(world.sandbox.workspace, "hello"));
    assert.equal((await turn.result).stop_reason, "max_tokens");
    assert.deepEqual(turn.of("error"), []);
  });

  Deno.test(`picture that codex ${version} is refused while it compacts is named, and consumed`, async () => {
    const config = { retries: 0, extra_args: ["-c", "model_auto_compact_token_limit=50000"] };
    await using world = await openWorld(version, { config });
    const picture = join(world.sandbox.workspace, "p.png");
    Deno.writeFileSync(picture, decodeBase64(PIXEL.png) ?? assert.fail());
    const call_id = "call_picture";
    const view = {
      type: "function_call" as const,
      name: "view_image",
      args: { path: picture },
      call_id,
    };
    await world.succeed("one", {
      steps: [{ items: [view] }, { text: "seen", usage: { input_tokens: 90_000 } }],
    });
    const error = { message: "The image data you provided does not represent a valid image" };
    const refused = await world.play("two", { steps: [{ status: 400, error }] });
    const told = refused.turn.of("error")[0]?.error;
    const story = refused.turn.story();
    assert.deepEqual([told?.kind, told?.retryable], ["invalid_request", false], story);
    assert.match(told?.hint ?? "", /consume the tool output that holds it/);
    assert.match(JSON.stringify(refused.asked), /input_image/);

    await world.mutate("consume-light", call_id);
    const { asked } = await world.succeed("three", { steps: [{ text: "SUMMARY" }, { text: "3" }] });
    assert.ok(!/input_image/.test(JSON.stringify(asked)));
  });

  Deno.test(`stream of codex ${version} that is cut once is taken up again`, async () => {
    const config = override("stream_max_retries=2");
    await using world = await openWorld(version, {
      config,
      steps: [{ text: "first try", cutAfterEvents: 3 }, { text: "second try" }],
    });
    const turn = world.host.stream(asks(world.sandbox.workspace, "hello"));
    assert.equal((await turn.result).stop_reason, "end_turn");
    assert.equal(turn.text, "second try");
    const told = turn.of("status").map(({ message }) => message);
    assert.ok(told.some((message) => /^Reconnecting\.\.\. 1\/2/.test(message)), turn.story());
  });
}

Deno.test(`failed turn of every codex leaves a thread that goes on`, async () => {
  for (const version of [OLDEST_CODEX, MIDDLE_CODEX, NEWEST_CODEX]) {
    await using world = await openWorld(version, {
      steps: [{ text: "one" }, { status: 500, error: { message } }, { text: "three" }],
    });
    const ask = asks(world.sandbox.workspace, "hello");
    const { thread_id } = await world.host.stream(ask).result;
    assert.equal((await world.host.stream(ask).result).stop_reason, "error");
    const third = world.host.stream(ask);
    assert.equal((await third.result).thread_id, thread_id);
    assert.equal(third.text, "three");
  }
});

/** What is wrong with codex's own configuration, its home, or what it needs: refused, no events. */
const REFUSED: {
  name: string;
  toml: (good: string) => string;
  kind: ErrorBody["kind"];
  retryable: boolean;
  message: RegExp;
  hint?: RegExp;
}[] = [
  {
    name: "config.toml that is no TOML, with the place and the reason",
    toml: (good) => `model = "x"\nmodel = = 3\n${good}`,
    kind: "config",
    retryable: false,
    message: /config\.toml:2:9: .+/,
  },
  {
    name: "config.toml with a value of the wrong type, with its key",
    toml: (good) => good.replace(/model_provider = .*/, "model_provider = 5"),
    kind: "config",
    retryable: false,
    message: /expected a string in `model_provider`|config\.toml:2:18: .*expected a string$/,
  },
  {
    name: "profile of an old config.toml",
    toml: (good) => `profile = "x"\n${good}`,
    kind: "config",
    retryable: false,
    message: /legacy `profile = "x"` config is no longer supported/,
  },
  {
    name: "required MCP server of the user that is not there",
    toml: (good) => `${good}\n[mcp_servers.mine]\ncommand = "/nowhere"\nrequired = true\n`,
    kind: "mcp_unavailable",
    retryable: true,
    message: /required MCP servers failed to initialize: mine/,
    hint: /MCP server mine of codex's own config\.toml/,
  },
];

for (const version of [...EVERY_WAY, "0.169.0"]) {
  Deno.test(`starts that codex ${version} refuses are named right`, async (t) => {
    await using world = await openWorld(version, { config: { retries: 0 } });
    const { host, sandbox } = world;
    const path = join(sandbox.codexHome, "config.toml");
    const good = Deno.readTextFileSync(path);
    for (const row of REFUSED) {
      await t.step(row.name, async () => {
        Deno.writeTextFileSync(path, row.toml(good));
        const error = await refusalOf(host.stream(asks(sandbox.workspace, "hello")));
        assert.deepEqual([error.kind, error.retryable], [row.kind, row.retryable], error.message);
        assert.match(error.message, row.message);
        if (row.hint !== undefined) assert.match(error.hint ?? "", row.hint);
      });
    }
  });

  Deno.test({
    name: `home of codex ${version} that cannot be written, or is full, is told as that`,
    ignore: skipped(!canMount(), "no file system may be mounted here"),
    fn: async () => {
      await using world = await openWorld(version, { config: { retries: 0 } });
      const { host, sandbox } = world;
      using home = mountSmall(join(sandbox.root, "small"), 2_000_000) ?? assert.fail();
      Deno.copyFileSync(join(sandbox.codexHome, "config.toml"), join(home.path, "config.toml"));
      await sandbox.configure({ retries: 0, env: { CODEX_HOME: home.path } });
      home.remount("ro");
      const readOnly = await refusalOf(host.stream(asks(sandbox.workspace, "hello")));
      assert.deepEqual([readOnly.kind, readOnly.retryable], ["config", false], readOnly.message);
      assert.match(readOnly.hint ?? "", /make CODEX_HOME writable/);
      home.remount("rw");
      assert.throws(() => Deno.writeFileSync(join(home.path, "fill"), new Uint8Array(3_000_000)));
      const full = await refusalOf(host.stream(asks(sandbox.workspace, "hello")));
      assert.deepEqual([full.kind, full.retryable], ["internal", true], full.message);
      assert.match(full.hint ?? "", /The disk is full/);
    },
  });

  Deno.test(`refusal that codex ${version} drops is told as a turn without an answer`, async () => {
    const refusal = { type: "refusal", refusal: "I cannot help with that." };
    const item = { type: "message", role: "assistant", id: "m1", content: [refusal] };
    await using world = await openWorld(version, {
      steps: [{ items: [{ type: "raw", item }] }, { text: "an answer" }],
    });
    const turn = world.host.stream(asks(world.sandbox.workspace, "hello"));
    assert.equal((await turn.result).stop_reason, "end_turn");
    const said = /^the turn ended without an answer: the model declined/;
    assert.ok(turn.of("status").some(({ message }) => said.test(message)), turn.story());
    const next = world.host.stream(asks(world.sandbox.workspace, "hello"));
    await next.result;
    assert.ok(!next.of("status").some(({ message }) => said.test(message)), next.story());
  });

  Deno.test(`failure of codex ${version} is told once, and the limit's end to the second`, async () => {
    const resets = Math.floor(Date.now() / 1000) + 7265;
    await using world = await openWorld(version, {
      config: { env: { TZ: "Asia/Tokyo" } },
      steps: [{
        status: 429,
        error: { type: "usage_limit_reached", resets_at: resets, message },
        headers: {
          "x-codex-primary-used-percent": "100",
          "x-codex-primary-window-minutes": "300",
          "x-codex-primary-reset-at": String(resets),
        },
      }],
    });
    const turn = world.host.stream(asks(world.sandbox.workspace, "hello"));
    await turn.result;
    const error = turn.of("error")[0]?.error;
    assert.equal(Date.parse(error?.resets_at ?? ""), resets * 1000, turn.story());
    const words = error?.message.replace(/^codex: /, "");
    assert.ok(!turn.of("status").some((told) => told.message === words), turn.story());
  });
}

for (const version of [...EVERY_WAY, "0.169.0"]) {
  Deno.test(`429 of codex ${version} after an attempt that named a pause keeps the pause`, async () => {
    const code = "rate_limit_exceeded";
    await using world = await openWorld(version, {
      config: override("stream_max_retries=1"),
      steps: [
        { failed: { code, message: "Rate limit reached. Please try again in 0.3s." } },
        { status: 429, error: { code, message } },
      ],
    });
    const turn = world.host.stream(asks(world.sandbox.workspace, "hello"));
    await turn.result;
    const error = turn.of("error")[0]?.error;
    assert.deepEqual([error?.kind, error?.retry_after_ms], ["rate_limited", 300], turn.story());
  });
}

for (const way of [...STAYING, "0.169.0"]) {
  Deno.test(`thread of codex ${way} whose model provider is gone says so, every time`, () =>
    plays(renamedProvider, way));
}
