import { strict as assert } from "node:assert";
import type { Followed } from "../../../rollout/follow.ts";
import { compareGranted, TurnRollout } from "../../../runner/thread/turn_rollout.ts";
import { captured, CodexHome } from "../../rollout/rollouts.ts";
import { within } from "../../support/deadline.ts";
import { failing, failingReads } from "../../support/failing_system.ts";

const NEVER = new AbortController().signal;
const SHELL = captured("0.169.0", "shell-ok");
/** In the middle of a line, between the call and its output. */
const HALF = new TextDecoder().decode(SHELL.bytes).lastIndexOf('"function_call_output"');

const told = (records: Followed[]): string[] =>
  records.flatMap(({ type }) => ["call", "result", "task_complete"].includes(type) ? [type] : []);
const read = async (rollout: TurnRollout) => told(await Array.fromAsync(rollout.read(NEVER)));
const finish = async (rollout: TurnRollout) => told(await Array.fromAsync(rollout.finish(NEVER)));

/** A turn that follows a rollout of which the first half is there. */
class Rig implements Disposable {
  readonly #home = new CodexHome();
  readonly path = this.#home.put({ ...SHELL, bytes: SHELL.bytes.subarray(0, HALF) });
  readonly rollout = new TurnRollout();

  constructor(located: "located" | "searched" = "located") {
    const { threadId } = SHELL;
    const place = { codexHome: this.#home.dir, threadId, from: 0 };
    this.rollout.open({ ...place, located: located === "located" ? this.path : undefined });
  }

  /** codex writes the other half. */
  goOn(): void {
    using file = Deno.openSync(this.path, { append: true });
    file.writeSync(SHELL.bytes.subarray(HALF));
  }

  [Symbol.dispose](): void {
    this.rollout.close();
    this.#home[Symbol.dispose]();
  }
}

for (const located of ["located", "searched"] as const) {
  Deno.test(`a rollout, ${located}, that cannot be opened for a moment is told whole later, its trouble once`, async () => {
    using rig = new Rig(located);
    rig.goOn();
    {
      using _fault = failing("openSync", rig.path);
      assert.deepEqual(await read(rig.rollout), []);
      assert.match(rig.rollout.takeTrouble() ?? "", /os error 24/);
      assert.deepEqual(await read(rig.rollout), []);
      assert.equal(rig.rollout.takeTrouble(), undefined);
    }
    assert.deepEqual(await read(rig.rollout), ["call", "result", "task_complete"]);
  });
}

Deno.test("a rollout of which one read fails goes on where it was, in the middle of a line too", async () => {
  using rig = new Rig();
  assert.deepEqual(await read(rig.rollout), ["call"]);
  rig.goOn();
  {
    using _fault = failingReads();
    assert.deepEqual(await read(rig.rollout), []);
  }
  assert.match(rig.rollout.takeTrouble() ?? "", /os error 5/);
  assert.deepEqual(await read(rig.rollout), ["result", "task_complete"]);
  assert.deepEqual(await finish(rig.rollout), []);
  assert.equal(rig.rollout.place?.offset, SHELL.bytes.length);
});

Deno.test("a rollout that cannot be read is not looked at without a pause", async () => {
  using rig = new Rig();
  using _fault = failingReads();
  await read(rig.rollout);
  const began = performance.now();
  assert.ok(await within(rig.rollout.changed(NEVER), "the next look"));
  assert.ok(performance.now() - began > 200);
});

Deno.test("the end of a turn tries a rollout that cannot be read some times, and not for ever", async () => {
  for (
    const [times, expected] of [[2, ["result", "task_complete"]], [Infinity, ["result"]]] as const
  ) {
    using rig = new Rig();
    await read(rig.rollout);
    rig.goOn();
    using _fault = failingReads(times);
    assert.deepEqual(await within(finish(rig.rollout), "the end"), expected);
    assert.match(rig.rollout.takeTrouble() ?? "", /os error 5/);
  }
});

Deno.test("a rollout that is another file when it is tried again is not followed any more", async () => {
  using rig = new Rig();
  await read(rig.rollout);
  rig.goOn();
  {
    using _fault = failingReads();
    await read(rig.rollout);
  }
  Deno.copyFileSync(rig.path, `${rig.path}.new`);
  Deno.renameSync(`${rig.path}.new`, rig.path);
  assert.deepEqual(await read(rig.rollout), []);
  Deno.writeTextFileSync(rig.path, "");
  assert.deepEqual(await finish(rig.rollout), [], "it is not looked at again");
  assert.equal(rig.rollout.isUnreadable, true);
});

const asked = {
  cwd: "/link/w/",
  workspace: "/w",
  model: "gpt-5.5",
  sandbox: "read-only",
  extraArgs: [] as string[],
} as const;
const granted = { type: "turn_context", sandbox: "read-only", model: "gpt-5.5" } as const;

Deno.test("compareGranted finds nothing where everything is as asked, or not told", () => {
  const nothing = { more: undefined, other: [] };
  assert.deepEqual(compareGranted(asked, { ...granted, approval: "never", cwd: "/w" }), nothing);
  assert.deepEqual(compareGranted(asked, { ...granted, cwd: "/link/w" }), nothing);
  assert.deepEqual(compareGranted(asked, { type: "turn_context" }), nothing);
  assert.deepEqual(compareGranted({ ...asked, model: undefined }, granted), nothing);
});

Deno.test("compareGranted calls every sandbox that is wider, or not known, more", () => {
  for (const sandbox of ["workspace-write", "danger-full-access", "external-sandbox", "new-one"]) {
    const { more } = compareGranted(asked, { ...granted, sandbox });
    assert.equal(more, `codex runs this turn with the sandbox ${sandbox} instead of read-only`);
  }
});

Deno.test("compareGranted tells of less, of another model and of other approvals", () => {
  const { more, other } = compareGranted({ ...asked, sandbox: "danger-full-access" }, {
    ...granted,
    model: "gpt-5.4",
    approval: "on-request",
    cwd: "/elsewhere",
  });
  assert.equal(more, undefined);
  assert.deepEqual(other, [
    "codex runs this turn with the sandbox read-only instead of danger-full-access",
    "codex runs this turn with the approval policy on-request instead of never",
    "codex runs this turn with the model gpt-5.4 instead of gpt-5.5",
    "codex runs this turn in /elsewhere instead of /link/w/",
  ]);
});

Deno.test("compareGranted believes an operator who set it by extra_args", () => {
  for (
    const extraArgs of [["--dangerously-bypass-approvals-and-sandbox"], ["-s", "x"], ["-p", "y"]]
  ) {
    const wide = { ...granted, sandbox: "danger-full-access" };
    assert.equal(compareGranted({ ...asked, extraArgs }, wide).more, undefined);
  }
  const model = compareGranted({ ...asked, extraArgs: ["-m", "other"] }, {
    ...granted,
    model: "other",
  });
  assert.deepEqual(model.other, []);
});
