/**
 * Consume against the real codex: what the model is sent afterwards, and what codex notices of it.
 */
import { strict as assert } from "node:assert";
import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { join } from "@std/path";
import { applyPending, mutate } from "../../rollout/consume/consume.ts";
import { noWaitLeftBehind } from "../../base/lock.ts";
import { codexBinary, MIDDLE_CODEX, NEWEST_CODEX, OLDEST_CODEX } from "../support/codex.ts";
import { openSandbox } from "../support/sandbox.ts";
import { command, type ScriptedItem } from "../support/model/items.ts";
import { completedTurn, execTurn, rememberThread } from "./codex_turn.ts";

const patch = (call_id: string, file: string): ScriptedItem => ({
  type: "custom_tool_call",
  name: "apply_patch",
  input: `*** Begin Patch\n*** Add File: ${file}\n+hello\n*** End Patch\n`,
  call_id,
});

/** Paths where two JSON values differ, with the new value. */
function differences(a: unknown, b: unknown, path = ""): Record<string, unknown> {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) {
    return Object.is(a, b) ? {} : { [path]: b };
  }
  const [x, y] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
  return Object.assign(
    {},
    ...[...new Set([...x.keys(), ...y.keys()])].map((key) =>
      differences(x.get(key), y.get(key), `${path}.${key}`)
    ),
  );
}

for (const version of [OLDEST_CODEX, MIDDLE_CODEX, NEWEST_CODEX]) {
  Deno.test(`codex ${version} sends exactly the consumed fields changed, turn after turn`, async () => {
    const { native } = await codexBinary(version);
    await using sandbox = await openSandbox({
      binary: native,
      steps: [
        { items: [command("seq 1 50", "call_light"), command("seq 1 60", "call_heavy")] },
        { items: [patch("call_patch", "new.txt"), command("seq 1 70", "call_kept")] },
        { text: "first turn done" },
        { text: "second turn done" },
        { items: [command("seq 1 80", "call_late")] },
        { text: "third turn done" },
        { text: "fourth turn done" },
      ],
    });
    const { threadId } = await completedTurn(sandbox, native);
    const { session, path } = await rememberThread(sandbox, threadId);
    const before = sandbox.model.asked.at(-1)?.input ?? [];
    const size = Deno.statSync(path).size;
    const result = await mutate(session, [
      { blockId: "call_light", op: "consume-light" },
      { blockId: "call_heavy", op: "consume-heavy" },
      { blockId: "call_patch", op: "consume-heavy" },
    ], { busy: false });
    assert.deepEqual({ ...result, skipped: result.skipped.length }, {
      requested: 3,
      touched: 3,
      deferred: 0,
      skipped: 0,
    });
    assert.equal(Deno.statSync(path).size, size);

    const at = (type: string, call_id: string): number =>
      before.findIndex((item) => item.type === type && item.call_id === call_id);
    const expected = {
      [`.${at("function_call_output", "call_light")}.output`]: "...(consumed)",
      [`.${at("function_call", "call_heavy")}.arguments`]: "{}",
      [`.${at("function_call_output", "call_heavy")}.output`]: "...(tool called)",
      [`.${at("custom_tool_call", "call_patch")}.input`]: "{}",
      [`.${at("custom_tool_call_output", "call_patch")}.output`]: "...(tool called)",
    };
    for (let turn = 2; turn <= 3; turn++) {
      await completedTurn(sandbox, native, threadId);
      const now = sandbox.model.asked.at(-1)?.input ?? [];
      assert.deepEqual(differences(before, now.slice(0, before.length)), expected, `turn ${turn}`);
    }

    await mutate(session, [{ blockId: "call_late", op: "consume-light" }], { busy: false });
    await completedTurn(sandbox, native, threadId);
    const late = sandbox.model.asked.at(-1)?.input
      .find((item) => item.type === "function_call_output" && item.call_id === "call_late");
    assert.equal(late?.output, "...(consumed)");
    assertProjectionExact(sandbox.codexHome, path);
    assertNothingLogged(sandbox.codexHome);
  });
}

for (const version of [MIDDLE_CODEX, NEWEST_CODEX]) {
  Deno.test(`a consume waits for a codex ${version} that was started by hand`, async () => {
    const { native } = await codexBinary(version);
    const held = Promise.withResolvers<void>();
    await using sandbox = await openSandbox({
      binary: native,
      steps: [
        { items: [command("seq 1 50", "call_1")] },
        { text: "first turn done" },
        { text: "held open", hold: held.promise },
        { text: "third turn done" },
      ],
    });
    const { threadId } = await completedTurn(sandbox, native);
    const { session, path } = await rememberThread(sandbox, threadId);
    const byHand = execTurn(sandbox, native, threadId);
    await sandbox.model.received(3);
    const consume = [{ blockId: "call_1", op: "consume-light" }];
    assert.equal((await mutate(session, consume, { busy: false })).deferred, 1);
    assert.equal((await applyPending(session)).deferred, 1);
    held.resolve();
    assert.equal((await byHand).code, 0);
    await noWaitLeftBehind();
    assert.equal((await applyPending(session)).touched, 1);
    assert.equal(Deno.readTextFileSync(path).includes("held open"), true);
    await completedTurn(sandbox, native, threadId);
    const output = sandbox.model.asked.at(-1)?.input
      .find((item) => item.type === "function_call_output");
    assert.equal(output?.output, "...(consumed)");
    assertProjectionExact(sandbox.codexHome, path);
  });
}

/** From 0.148 on codex keeps byte offsets of each turn in SQLite: they must still be line starts and ends. */
function assertProjectionExact(codexHome: string, path: string): void {
  const database = join(codexHome, "thread_history_1.sqlite");
  if (!existsSync(database)) return;
  const bytes = Deno.readFileSync(path);
  const rows = query(
    database,
    "SELECT rollout_byte_offset AS start, rollout_end_byte_offset AS stop FROM thread_turns",
  );
  assert.ok(rows.length >= 2, "codex projected the turns");
  for (const { start, stop } of rows) {
    const first = bytes.subarray(Number(start), bytes.indexOf(10, Number(start)));
    assert.match(new TextDecoder().decode(first), /^\{"timestamp".*"type":"task_started"/);
    assert.equal(bytes[Number(stop) - 1], 10);
  }
  const [state] = query(
    database,
    "SELECT next_rollout_byte_offset AS next FROM thread_history_projection_state",
  );
  assert.equal(state?.next, bytes.length);
}

/** codex logs what it finds wrong with a rollout or its projection. */
function assertNothingLogged(codexHome: string): void {
  const database = join(codexHome, "logs_2.sqlite");
  if (!existsSync(database)) return;
  const rows = query(database, "SELECT * FROM logs WHERE level IN ('WARN', 'ERROR')");
  const about = rows.map((row) => JSON.stringify(row)).filter((row) =>
    /rollout|projection/i.test(row)
  );
  assert.deepEqual(about, []);
}

function query(path: string, sql: string): Record<string, unknown>[] {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return database.prepare(sql).all().map((row) => Object.assign({}, row));
  } finally {
    database.close();
  }
}
