import { strict as assert } from "node:assert";
import { compareGranted } from "../../../runner/thread/turn_rollout.ts";

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
