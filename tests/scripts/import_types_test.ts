import { strict as assert } from "node:assert";
import { importTypes } from "../../scripts/check.ts";
import { packageImports, proof } from "../../scripts/import_types.ts";

/** An import statement; in pieces, so that it is not taken for one of this file's own. */
const statement = (what: string, from: string) => ["im", `port ${what} from "${from}";\n`].join("");

Deno.test("check fails on untyped deep imports, and not once their types are named", async () => {
  const sdk = "@modelcontextprotocol/sdk";
  const trouble = await importTypes(
    [],
    statement("{ StdioServerTransport as Bare }", `${sdk}/server/stdio.js`) +
      statement("type { Tool }", `${sdk}/types.js`) +
      ["const sdk = await im", `port("${sdk}/server/mcp.js");\n`].join("") +
      `// @ts-types="${sdk}/server/stdio"\n` +
      statement("{ StdioServerTransport as Named }", `${sdk}/server/stdio.js`),
  ) ?? "";
  assert.match(trouble, /typeof Bare from .* in extra\.ts is "any"/);
  assert.match(trouble, /Tool from .* is "any"/);
  assert.match(trouble, /typeof load>> from .*mcp\.js.* is "any"/);
  assert.ok(!trouble.includes("Named"), trouble);
});

Deno.test("check sees every form of a package import and no import of our own files", () => {
  const text = statement("fc, { type Arbitrary as A }", "fast-check") +
    statement("* as z", "zod/mini") + statement("{ x }", "./x.ts") +
    statement("{ y }", "node:path") + statement("type {\n  B,\n  C as D,\n}", "b") +
    ["ex", 'port * from "c";\nexport function f() {}\n'].join("");
  const found = packageImports("f.ts", text).map(({ specifier, types }) => [specifier, types]);
  assert.deepEqual(found, [
    ["fast-check", ["typeof fc", "A"]],
    ["zod/mini", ["typeof z"]],
    ["b", ["B", "D"]],
    ["c", ["typeof everything"]],
  ]);
});

Deno.test("the proof names what it is about", () => {
  const [found] = packageImports("a.ts", statement("{ parse }", "@std/jsonc"));
  assert(found !== undefined);
  assert.match(proof(found), /@ts-expect-error typeof parse from "@std\/jsonc" in a\.ts is "any"/);
});
