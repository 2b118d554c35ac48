import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { userServerConfig } from "../../../runner/codex/user_mcp_servers.ts";
import { TurnError } from "../../../runner/turn_event.ts";
import { noProcessUnder } from "../../support/processes.ts";

/** A folder with a `codex` of that script, and what it is asked with. */
class Place {
  readonly root = Deno.realPathSync(Deno.makeTempDirSync());
  readonly codex = join(this.root, "codex");
  readonly env = { PATH: "/usr/bin:/bin", CODEX_HOME: this.root };

  constructor(script: string) {
    Deno.writeTextFileSync(this.codex, `#!/bin/sh\necho x >> '${this.root}/asked'\n${script}\n`);
    Deno.chmodSync(this.codex, 0o755);
  }

  list(signal?: AbortSignal): Promise<string[]> {
    return userServerConfig(this.codex, this.env, this.root, signal);
  }

  get asked(): number {
    return Deno.readTextFileSync(join(this.root, "asked")).length / 2;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await noProcessUnder(this.root);
    Deno.removeSync(this.root, { recursive: true });
  }
}

const LIST = `echo '[{"name":"plain"},{"name":"a b"}]'`;

Deno.test("userServerConfig asks codex once for turns that begin together, and anew after a change", async () => {
  await using place = new Place(LIST);
  const off = ["mcp_servers.plain.enabled=false", 'mcp_servers."a b".enabled=false'];
  assert.deepEqual(await Promise.all([place.list(), place.list()]), [off, off]);
  assert.equal(place.asked, 1);
  Deno.writeTextFileSync(join(place.root, "config.toml"), "[mcp_servers.new]");
  await place.list();
  assert.equal(place.asked, 2);
});

Deno.test("userServerConfig hears a cancel while codex mcp list hangs", async () => {
  await using place = new Place(
    `trap '' INT TERM; while ! [ -e go ]; do sleep 0.01; done; ${LIST}`,
  );
  const control = new AbortController();
  const [given, waiting] = [place.list(control.signal), place.list()];
  control.abort(new Error("cancelled"));
  await assert.rejects(given, /^Error: cancelled$/);
  Deno.writeTextFileSync(join(place.root, "go"), "");
  assert.equal((await waiting).length, 2);
});

Deno.test("userServerConfig ends codex mcp list when nobody waits for it any more, and asks anew", async () => {
  await using place = new Place(`[ -e go ] || sleep 1000; ${LIST}`);
  const control = new AbortController();
  const given = place.list(control.signal);
  control.abort(new Error("cancelled"));
  await assert.rejects(given, /^Error: cancelled$/);
  await noProcessUnder(place.root);
  Deno.writeTextFileSync(join(place.root, "go"), "");
  assert.equal((await place.list()).length, 2);
});

Deno.test("userServerConfig fails rather than let the user's servers run, and tries again next time", async () => {
  for (
    const [script, kind, message] of [
      ["echo no JSON", "internal", /codex mcp list failed: it said "no JSON/],
      ["echo 'Error: something is broken' >&2; exit 1", "crashed", /something is broken/],
      ["yes", "internal", /printed more than/],
    ] as const
  ) {
    await using place = new Place(script);
    for (let n = 0; n < 2; n++) {
      await assert.rejects(place.list(), (error: unknown) => {
        assert.ok(error instanceof TurnError, String(error));
        assert.equal(error.failure.kind, kind);
        assert.match(error.message, message);
        return true;
      });
    }
    assert.equal(place.asked, 2);
  }
});
