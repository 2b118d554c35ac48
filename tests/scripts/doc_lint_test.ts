import { strict as assert } from "node:assert";
import { complaints, counts } from "../../scripts/doc_lint.ts";

const OUTPUT = `error[missing-jsdoc]: exported symbol is missing JSDoc documentation
 --> /p/a.ts:2:1
  |
2 | export function f(): void {}
  | ^


error[private-type-ref]: public type 'g' references private type 'Hidden'
 --> /p/a.ts:5:1
  |
5 | export function g(): Hidden {}
  | ^
  = hint: make the referenced type public or remove the reference
  |
3 | interface Hidden {
  | - this is the referenced type
  |

error: Found 2 documentation lint errors.
`;

Deno.test("docs lint reads what Deno complains about", () => {
  assert.deepEqual(complaints(OUTPUT), [
    { rule: "missing-jsdoc", path: "/p/a.ts", line: 2 },
    { rule: "private-type-ref", path: "/p/a.ts", line: 5, declaration: "interface Hidden {" },
  ]);
});

Deno.test("docs lint asks for docstrings of exported names, not of their members", () => {
  const text = "export class C {\n  member = 1;\n}\n";
  assert.equal(counts({ rule: "missing-jsdoc", path: "", line: 1 }, text), true);
  assert.equal(counts({ rule: "missing-jsdoc", path: "", line: 2 }, text), false);
});

Deno.test("docs lint minds our hidden types and not those of a package", () => {
  const complaint = {
    rule: "private-type-ref",
    path: "",
    line: 1,
    declaration: "interface Hidden {",
  };
  assert.equal(counts(complaint, "interface Hidden {\n}\n"), true);
  assert.equal(counts(complaint, "// nothing of that kind here\n"), false);
});

Deno.test("docs lint leaves a hidden base alone, as older versions of Deno do", () => {
  const complaint = {
    rule: "private-type-ref",
    path: "",
    line: 2,
    declaration: "interface Base {}",
  };
  assert.equal(counts(complaint, "interface Base {}\nexport interface A extends Base {\n"), false);
  assert.equal(counts(complaint, "interface Base {}\nexport type A = Base | string;\n"), true);
});
