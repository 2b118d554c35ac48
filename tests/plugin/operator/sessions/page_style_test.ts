/**
 * The page's script, with just so much of a document as it touches; in a browser it was driven by hand.
 */
import { strict as assert } from "node:assert";
import { SCRIPT } from "../../../../plugin/operator/sessions/page_style.ts";

/** An element. */
class Part {
  hidden = false;
  open = false;
  checked = false;
  value = "";
  scrolled = false;
  listeners: Record<string, () => void> = {};
  constructor(
    readonly tagName: string,
    public textContent = "",
    readonly dataset: Record<string, string> = {},
  ) {}
  addEventListener(type: string, listener: () => void) {
    this.listeners[type] = listener;
  }
  scrollIntoView() {
    this.scrolled = true;
  }
}

/** A page with two calls and a turn, its script run. */
function page() {
  const parts: Record<string, Part> = {
    search: new Part("INPUT"),
    found: new Part("SPAN"),
    total: new Part("A"),
    chosen: new Part("P", "The largest call.", { none: "The largest call." }),
    command: new Part("PRE", "consume T c1 --dry-run", { begin: "consume T" }),
    "call-1": new Part("DETAILS", "exec_command ls Harbour"),
    "call-2": new Part("DETAILS", "tide.table Gale"),
    "turn-1": new Part("SECTION", "Turn 1 ask the harbour"),
  };
  const boxes = [
    new Part("INPUT", "", { word: "c1", tokens: "1500" }),
    new Part("INPUT", "", { word: "'it'\\''s'", tokens: "20" }),
  ];
  const link = new Part("A");
  const rows = ["call-1", "call-2", "turn-1"].map((id) => parts[id]);
  const listeners: Record<string, () => void> = {};
  const location = { hash: "" };
  const document = {
    getElementById: (id: string) => parts[id] ?? null,
    querySelectorAll: (selector: string) =>
      selector === "[data-row]"
        ? rows
        : selector.startsWith("a[")
        ? [link]
        : boxes.filter(({ checked }) => !selector.endsWith(":checked") || checked),
  };
  const listen = (type: string, listener: () => void) => listeners[type] = listener;
  const soon = (work: () => void) => work();
  const given = { document, location, addEventListener: listen, setTimeout: soon };
  new Function(...Object.keys(given), SCRIPT)(...Object.values(given));
  return {
    parts,
    boxes,
    said: (id: string) => parts[id]?.textContent,
    type(text: string) {
      Object.assign(parts.search ?? {}, { value: text });
      parts.search?.listeners.input?.();
    },
    tick(n: number, checked = true) {
      Object.assign(boxes[n] ?? {}, { checked });
      boxes[n]?.listeners.change?.();
    },
    go(hash: string) {
      location.hash = hash;
      listeners.hashchange?.();
    },
    follow: () => link.listeners.click?.(),
    show: () => listeners.pageshow?.(),
    hidden: () => rows.map((row) => row?.hidden),
  };
}

Deno.test("the page's search shows what has all words, and how many that are", () => {
  const { type, hidden, said } = page();
  type("HARBOUR");
  assert.deepEqual([hidden(), said("found")], [[false, true, false], "2 of 3"]);
  type(" harbour  ls ");
  assert.deepEqual([hidden(), said("found")], [[false, true, true], "1 of 3"]);
  type(" ");
  assert.deepEqual([hidden(), said("found")], [[false, false, false], ""]);
});

Deno.test("the page's command names the calls that are ticked, and their sum stands beside the search", () => {
  const { tick, said } = page();
  tick(0);
  assert.equal(said("command"), "consume T c1 --dry-run");
  assert.equal(said("total"), "1 call chosen, about 1,500 tokens");
  tick(1);
  assert.equal(said("command"), "consume T c1 'it'\\''s' --dry-run");
  assert.equal(said("chosen"), "2 calls chosen, about 1,520 tokens.");
  tick(0, false);
  tick(1, false);
  assert.deepEqual(
    [said("command"), said("chosen"), said("total")],
    ["consume T c1 --dry-run", "The largest call.", ""],
  );
});

Deno.test("a link of the page leads to its call, also when the search hides that", () => {
  const { type, go, follow, parts, hidden, said } = page();
  type("gale");
  go("#call-1");
  assert.deepEqual([parts["call-1"]?.open, parts["call-1"]?.scrolled], [true, true]);
  assert.deepEqual([hidden(), said("found"), parts.search?.value], [[false, false, false], "", ""]);
  type("gale");
  follow(); // the same link again: the hash does not change
  assert.deepEqual(hidden(), [false, false, false]);
  go("#nothing");
});

Deno.test("a page that a browser brings back shows what is typed and ticked on it", () => {
  const { parts, boxes, show, said, hidden } = page();
  Object.assign(parts.search ?? {}, { value: "gale" });
  Object.assign(boxes[1] ?? {}, { checked: true });
  show();
  assert.deepEqual(hidden(), [true, false, true]);
  assert.equal(said("total"), "1 call chosen, about 20 tokens");
});
