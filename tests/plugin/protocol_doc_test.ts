/** docs/protocol.md says what the program does: names, fields, kinds, and its transcript. */
import { strict as assert } from "node:assert";
import { fromFileUrl } from "@std/path";
import * as z from "zod/mini";
import { ADVICE } from "../../runner/failure/failure.ts";
import * as protocol from "../../plugin/protocol.ts";
import { checkEventParams, checkFrame, checkStreamResult } from "../support/wire.ts";

const root = new URL("../../", import.meta.url);
const text = await Deno.readTextFile(new URL("docs/protocol.md", root));

/** The rows of the table whose header begins with this cell, without the header. */
function table(firstHeader: string): string[][] {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => line.startsWith(`| ${firstHeader} `));
  assert.notEqual(start, -1, `a table of ${firstHeader}`);
  const end = lines.findIndex((line, at) => at > start && !line.startsWith("|"));
  return lines.slice(start + 2, end).map((line) =>
    line.split("|").slice(1, -1).map((cell) => cell.trim())
  );
}

const names = (cell = "") => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);

/** JSON Schema of a lazy schema, as far as these tests look into it. */
interface Shape {
  oneOf?: { properties: Record<string, { const?: string }>; required: string[] }[];
  enum?: string[];
}

function shape(schema: z.ZodMiniType): Shape {
  return z.toJSONSchema(schema) as Shape;
}

Deno.test("protocol document names every method, code and limit", () => {
  for (const method of Object.values(protocol.METHOD)) {
    assert.ok(text.includes(`\`${method}\``) || text.includes(`"method":"${method}"`), method);
  }
  for (const code of Object.values(protocol.CODE)) {
    assert.ok(text.includes(`\`${code}\``), `${code}`);
  }
  assert.ok(text.includes(`${protocol.MAX_FRAME_BYTES / 1024 / 1024} MiB`));
  assert.ok(text.includes(`more than ${protocol.MAX_REQUESTS} requests`));
  assert.ok(text.includes(`more than ${protocol.MAX_DEPTH} levels`));
  assert.ok(text.startsWith(`# The protocol`) && text.includes(`Revision ${protocol.REVISION}.`));
});

Deno.test("protocol document has every event with exactly its fields", () => {
  const documented = table("type").map(([type, fields]) => [names(type)[0], names(fields)]);
  const real = (shape(protocol.StreamEvent).oneOf ?? []).map(({ properties, required }) => [
    properties.type?.const,
    Object.keys(properties).filter((name) => name !== "type")
      .map((name) => required.includes(name) ? name : `${name}?`),
  ]);
  assert.deepEqual(documented, real);
});

Deno.test("protocol document has every error kind, and says of each whether to try again", () => {
  const rows = table("kind");
  assert.deepEqual(rows.map(([kind]) => names(kind)[0]), shape(protocol.ErrorKind).enum);
  for (const [kind, { retryable }] of Object.entries(ADVICE)) {
    const row = rows.find(([name]) => names(name)[0] === kind);
    assert.equal(row?.[2], kind === "internal" ? "as told" : retryable ? "yes" : "no", kind);
  }
});

Deno.test("protocol document names every stop reason and every reason to skip", () => {
  for (const reason of shape(protocol.StopReason).enum ?? []) {
    assert.ok(text.includes(`\`${reason}\``));
  }
  assert.deepEqual(table("reason").map(([reason]) => names(reason)[0]), [
    "unknown_id",
    "already_small",
    "unknown_op",
  ]);
});

Deno.test("protocol document's transcript keeps to the protocol", () => {
  const lines = text.split("\n").filter((line) => /^[→←] /.test(line));
  let seq = 0;
  for (const line of lines) {
    const frame: unknown = JSON.parse(line.slice(2));
    checkFrame(frame);
    const { method, params, id, result } = frame;
    if (method === protocol.METHOD.stream) z.parse(protocol.StreamParams, params);
    else if (method === protocol.METHOD.mutate) z.parse(protocol.MutateParams, params);
    else if (method === protocol.METHOD.event) {
      checkEventParams(params);
      assert.equal(z.parse(protocol.EventParams, params).seq, seq++);
    } else if (id === 2) checkStreamResult(result);
    else z.parse(protocol.MutateResult, result);
  }
  assert.equal(seq, 8);
});

Deno.test("protocol document's examples are JSON, and its links lead somewhere", async () => {
  for (const [, json = ""] of text.matchAll(/```json\n(.*?)```/gs)) JSON.parse(json);
  for (const [, target = ""] of text.matchAll(/\]\(([^)#][^)]*)\)/g)) {
    await Deno.stat(fromFileUrl(new URL(target, new URL("docs/", root))));
  }
});
