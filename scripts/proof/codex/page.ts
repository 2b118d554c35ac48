/**
 * The page of a version, `docs/codex/<version>.md`: what a maintainer must read of it.
 */
import { join } from "@std/path";
import { decodeRecord } from "../../../rollout/records/records.ts";
import { compareVersions } from "../../../runner/codex/capabilities.ts";
import { decodeExecLine } from "../../../runner/exec/wire.ts";
import { kindOfName } from "../../../runner/failure/error_words.ts";
import type { Transport } from "../../../tests/support/lab.ts";
import { ROOT } from "../../project.ts";
import { SCENARIOS } from "../matrix/scenarios.ts";
import {
  type Cells,
  cellTable,
  COMPATIBILITY,
  differenceList,
  limitList,
  machine,
  withPart,
} from "../matrix/table.ts";
import type { Difference } from "./shape.ts";
import type { VersionShape } from "./version_shape.ts";

/** Where the pages are. */
export const PAGES: string = join(ROOT, "docs", "codex");

/** Records that say nothing a host or a consume needs; a new one is put here on purpose. */
const PASSED_BY: readonly string[] = [
  ...["world_state", "token_usage_record"],
  ...["event_msg/task_started", "event_msg/thread_settings_applied", "event_msg/context_compacted"],
  // What the user said, and what is told in better words by another record.
  ...["event_msg/user_message", "event_msg/agent_reasoning", "event_msg/web_search_end"],
  ...["response_item/message", "response_item/web_search_call", "response_item/additional_tools"],
];

/** Names of the lines that nothing of ours knows: events, then records. */
export function unknownLines({ stdout, rollout }: VersionShape): string[] {
  const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const events = Object.keys(stdout).filter((name) => {
    const [type, item] = name.split("/");
    const line = { type, thread_id: "t", message: "m", item: item && { id: "i", type: item } };
    const event = decodeExecLine(bytes(line));
    return event === undefined || event.type === "unknown" || event.type === "broken";
  });
  const records = Object.keys(rollout).filter((name) => {
    if (name === "(every line)" || PASSED_BY.includes(name)) return false;
    const [type, inner, item] = name.split("/");
    const payload = {
      ...{ type: inner, id: "t", call_id: "c", message: "m", summary: [{ text: "s" }] },
      ...{ info: {}, output: "o", item: { type: item, id: "c", content: [] } },
    };
    return ["other", "broken"].includes(decodeRecord(bytes({ type, payload })).kind);
  });
  return [
    ...events.map((name) => `event \`${name}\``),
    ...records.map((name) => `record \`${name}\``),
  ];
}

/** What a person must look at before this version counts as tested, in a few words each. */
export function attention(
  shape: VersionShape,
  changes: readonly Difference[],
  matrix: ReadonlyMap<Transport, Cells>,
): string[] {
  const failed = [...matrix].flatMap(([transport, cells]) =>
    [...cells].filter(([, row]) => row.get(shape.version)?.verdict === "fail")
      .map(([scenario]) => `scenario ${scenario} fails over ${transport}`)
  );
  const unknown = unknownLines(shape).map((name) => `${name} is known to nothing of ours`);
  const notable = changes.flatMap(({ sign, what, of, name = of, kinds }) => {
    if (of === "error names" && sign === "+" && kindOfName(name) === undefined) {
      return [`error \`${name}\` has no kind of ours yet`];
    }
    if (of === "default model" && sign === "~") return [`${name} is another one: ${kinds}`];
    if (of === "default model") {
      return [`${sign === "+" ? "offers" : "no longer offers"} \`${name}\``];
    }
    if (of === "features" && kinds?.endsWith(": true")) return [`\`${name}\` is switched on now`];
    const used = what === "event" || what === "record" || of.startsWith("flags") ||
      of.startsWith("app-server");
    return sign === "-" && used ? [`${what === "fact" ? of : what} \`${name}\` is gone`] : [];
  });
  return [...failed, ...unknown, ...notable];
}

/** The page. `from` is the version that it is compared with. */
export function page(
  version: string,
  from: string | undefined,
  todo: readonly string[],
  changes: readonly Difference[],
  matrix: ReadonlyMap<Transport, Cells>,
): string {
  const transports = [...matrix.keys()];
  const columns: Cells = new Map(SCENARIOS.map(({ name }) => [
    name,
    new Map(transports.flatMap((transport) => {
      const cell = matrix.get(transport)?.get(name)?.get(version);
      return cell ? [[transport, cell] as const] : [];
    })),
  ]));
  const limits = limitList([...matrix.values()]);
  return [
    `# codex ${version}`,
    `Written by \`deno task codex ${version}\` on ${new Date().toISOString().slice(0, 10)}, ` +
    `${machine()}, Deno ${Deno.version.deno}.`,
    "## To look at",
    todo.length === 0 ? "Nothing." : todo.map((item) => `- ${item}`).join("\n"),
    "## Scenarios",
    "Every scenario of the host's contract, by the way in which codex is run; " +
    "[compatibility](../compatibility.md) says what each one promises.",
    cellTable(columns, SCENARIOS, transports),
    ...(limits === "" ? [] : [limits]),
    `## What changed since ${from ?? "nothing: it is the oldest"}`,
    "New is +, gone is −, changed is ~. Events are lines of `codex exec --json`, records are lines of " +
    "session files; the rest is what codex tells of itself.",
    differenceList(changes),
    "",
  ].join("\n\n").trimEnd() + "\n";
}

/** Brings the list of pages in docs/compatibility.md up to date. */
export function writeIndex(): void {
  const pages = [...Deno.readDirSync(PAGES)].map(({ name }) => name.replace(/\.md$/, ""))
    .sort(compareVersions).reverse();
  const list = pages.map((version) => `- [${version}](codex/${version}.md)`).join("\n");
  const text = Deno.readTextFileSync(COMPATIBILITY);
  Deno.writeTextFileSync(COMPATIBILITY, withPart(text, "pages", list));
}
