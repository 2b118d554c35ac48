import { strict as assert } from "node:assert";
import {
  ownProcess,
  parseProcStat,
  parsePs,
  processRow,
  processTable,
} from "../../../runner/process/process_table.ts";

/** A line of /proc/<pid>/stat; 52 fields, the start time is the 22nd. */
const stat = (
  pid: number,
  comm: string,
  state: string,
  ppid: number,
  pgid: number,
  start: number,
) =>
  `${pid} (${comm}) ${state} ${ppid} ${pgid} ${pgid} 0 -1 ${"0 ".repeat(13)}${start} ${
    "0 ".repeat(29)
  }0\n`;

Deno.test("parseProcStat reads rows whatever a process calls itself", () => {
  const names = ["codex", "a b", ") S 1 1 (", "(", "x\n7 (y) S 1 1 1", "", "\u00e9"];
  const text = names.map((name, i) => stat(100 + i, name, "S", i, 50 + i, 1000 + i)).join("");
  assert.deepEqual(
    parseProcStat(text),
    names.map((_, i) => ({ pid: 100 + i, ppid: i, pgid: 50 + i, start: String(1000 + i) })),
  );
});

Deno.test("parseProcStat leaves out the dead", () => {
  const text = stat(1, "a", "Z", 0, 1, 5) + stat(2, "b", "R", 0, 1, 5) + stat(3, "c", "X", 0, 1, 5);
  assert.deepEqual(parseProcStat(text).map(({ pid }) => pid), [2]);
});

Deno.test("parsePs reads rows of a ps that pads its columns, and leaves out the dead", () => {
  const text = "    1     0     1 Ss   Sun Nov 22 13:02:11 2026    \n" +
    "12345   100 12345 S+   Mon Nov  2 01:02:03 2026\n  777   100 12345 Z    Mon Nov  2 01:02:03 2026\n";
  assert.deepEqual(parsePs(text), [
    { pid: 1, ppid: 0, pgid: 1, start: "Sun Nov 22 13:02:11 2026" },
    { pid: 12345, ppid: 100, pgid: 12345, start: "Mon Nov  2 01:02:03 2026" },
  ]);
});

Deno.test("processTable has ourselves and our children, with the start times of processRow", async () => {
  const child = new Deno.Command("sleep", { args: ["1000"] }).spawn();
  const [own, row, table] = [await ownProcess(), await processRow(child.pid), await processTable()];
  child.kill("SIGKILL");
  await child.status;
  assert.equal(own?.pid, Deno.pid);
  assert.deepEqual(table.find(({ pid }) => pid === Deno.pid)?.start, own?.start);
  assert.deepEqual(table.find(({ pid }) => pid === child.pid), row);
  assert.equal(row?.ppid, Deno.pid);
  assert.equal(await processRow(child.pid), undefined);
});
