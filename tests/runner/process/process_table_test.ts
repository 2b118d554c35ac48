import { strict as assert } from "node:assert";
import { join } from "@std/path";
import {
  memoryLeft,
  memoryOf,
  parseLook,
  parseMemoryLeft,
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
    names.map((command, i) => ({
      row: { pid: 100 + i, ppid: i, pgid: 50 + i, start: String(1000 + i), command },
      dead: false,
    })),
  );
});

Deno.test("parseProcStat tells the dead", () => {
  const text = stat(1, "a", "Z", 0, 1, 5) + stat(2, "b", "R", 0, 1, 5) + stat(3, "c", "X", 0, 1, 5);
  assert.deepEqual(parseProcStat(text).map(({ dead }) => dead), [true, false, true]);
});

Deno.test("parseLook tells rows, bearers of marks and the newest pid, by the files they stand in", () => {
  const names = new Map([["PLEXUM_TURN=a", "a"], ["123456789012345678", "a"], [
    "PLEXUM_TURN=b",
    "b",
  ]]);
  const text = [
    `/proc/7/stat:${stat(7, "x:y", "S", 1, 7, 5).slice(2).trimEnd()}`,
    "/proc/7/environ:PLEXUM_TURN=a",
    "/proc/8/limits:123456789012345678",
    "/proc/9/environ:PLEXUM_TURN=b",
    "/proc/9/environ:(spoof) S 1 1 1",
    "/proc/loadavg:0.10 0.20 0.30 1/200 4711\n",
    "",
  ].join("\0");
  const { rows, marked, newest } = parseLook(text, names);
  assert.deepEqual(rows.map(({ row }) => [row.pid, row.command]), [[7, "x:y"]]);
  assert.deepEqual(marked, new Map([["a", new Set([7, 8])], ["b", new Set([9])]]));
  assert.equal(newest, 4711);
});

Deno.test("parsePs reads rows of a ps that pads its columns, and leaves out the dead", () => {
  const text = "    1     0     1 Ss   Sun Nov 22 13:02:11 2026    \n" +
    "12345   100 12345 S+   Mon Nov  2 01:02:03 2026 a b  \n" +
    "  777   100 12345 Z    Mon Nov  2 01:02:03 2026 dead\n";
  assert.deepEqual(parsePs(text), [
    { pid: 1, ppid: 0, pgid: 1, start: "Sun Nov 22 13:02:11 2026", command: "" },
    { pid: 12345, ppid: 100, pgid: 12345, start: "Mon Nov  2 01:02:03 2026", command: "a b" },
  ]);
});

Deno.test("processTable has ourselves and our children, with the start times of processRow", async () => {
  const child = new Deno.Command("sleep", { args: ["1000"] }).spawn();
  const [own, row, table] = [
    await processRow(Deno.pid),
    await processRow(child.pid),
    await processTable(),
  ];
  child.kill("SIGKILL");
  await child.status;
  assert.equal(own?.pid, Deno.pid);
  assert.deepEqual(table.find(({ pid }) => pid === Deno.pid)?.start, own?.start);
  assert.deepEqual(table.find(({ pid }) => pid === child.pid), row);
  assert.deepEqual([row?.ppid, row?.command], [Deno.pid, "sleep"]);
  assert.equal(await processRow(child.pid), undefined);
});

Deno.test("what is left is the least of what the machine and the container have", () => {
  const machine = "MemTotal:  4000 kB\nMemFree:  100 kB\nMemAvailable:    2000 kB\n";
  assert.equal(parseMemoryLeft(machine), 2000 * 1024);
  assert.equal(parseMemoryLeft(`${machine}max\n123456\n`), 2000 * 1024);
  assert.equal(parseMemoryLeft(`${machine}1000000\n400000\n`), 600_000);
  assert.equal(parseMemoryLeft(`${machine}1000000\n1400000\n`), 0);
  assert.equal(parseMemoryLeft(""), undefined);
});

Deno.test("the machine says what is left", { ignore: Deno.build.os !== "linux" }, async () => {
  assert.ok((await memoryLeft() ?? 0) > 1024 * 1024);
});

Deno.test({
  name: "memoryOf counts a codex under its release's name, and nobody who has got such a pid since",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const directory = Deno.makeTempDirSync({ prefix: "plexum-memory-" });
    const path = join(directory, "codex-x86_64-unknown-linux-musl");
    Deno.writeTextFileSync(path, "#!/bin/sh\nread line\n", { mode: 0o755 });
    const child = new Deno.Command(path, { stdin: "piped" }).spawn();
    try {
      const { resident, own } = await memoryOf([child.pid], "codex");
      assert.ok(resident > own && own > 0);
      assert.deepEqual(await memoryOf([child.pid], "node"), { resident: 0, own: 0 });
    } finally {
      await child.stdin.close();
      await child.status;
      Deno.removeSync(directory, { recursive: true });
    }
  },
});
