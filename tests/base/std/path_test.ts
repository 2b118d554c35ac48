import { strict as assert } from "node:assert";
import * as path from "@std/path";

// Where node's own functions answer otherwise, these are the answers of the real @std/path.

Deno.test("path dirname() and basename() treat odd paths as @std does", () => {
  assert.equal(path.dirname("/a//b"), "/a");
  assert.equal(path.dirname("/a/b"), "/a");
  assert.equal(path.dirname("/a"), "/");
  assert.equal(path.dirname("a"), ".");
  assert.equal(path.basename("/"), "/");
  assert.equal(path.basename("/a/b.ts", ".ts"), "b");
  assert.equal(path.basename(".c", ".c"), ".c");
});

Deno.test("path turns file URLs into paths", () => {
  assert.equal(path.fromFileUrl("file:///a%2Fb"), "/a/b");
  assert.equal(path.fromFileUrl("file://host/a"), "/a");
  assert.equal(path.fromFileUrl(new URL("file:///100%/x")), "/100%/x");
  assert.throws(() => path.fromFileUrl("https://example.org/a"), TypeError);
});

Deno.test("path joins, resolves and compares", () => {
  assert.equal(path.join("a", "..", "b", "./c"), "b/c");
  assert.equal(path.join(), ".");
  assert.equal(path.resolve("/a", "b", "../c"), "/a/c");
  assert.equal(path.relative("/a/b", "/a/c/d"), "../c/d");
  assert.equal(path.isAbsolute("/a") && !path.isAbsolute("a"), true);
});
