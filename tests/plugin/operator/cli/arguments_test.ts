import { strict as assert } from "node:assert";
import { parseArguments, UsageError } from "../../../../plugin/operator/cli/arguments.ts";
import type { Action } from "../../../../plugin/operator/cli/command.ts";

const command: Action = {
  summary: "a test",
  options: [
    { name: "profile", value: "DIR", summary: "where" },
    { name: "shell", value: "NAME", kind: ["bash", "zsh"], summary: "which" },
    { name: "dry-run", short: "n", summary: "only look" },
    { name: "image", value: "FILE", repeats: true, summary: "a picture" },
  ],
  words: { usage: "THREAD", min: 1, max: 2, summary: "whose" },
  run: () => Promise.resolve(0),
};

Deno.test("parseArguments gives values, switches and words", () => {
  const args = parseArguments(["a", "--profile=/x y", "-n", "--", "--b"], command);
  assert.equal(args.text("profile"), "/x y");
  assert.ok(args.has("dry-run"));
  assert.deepEqual(args.words, ["a", "--b"]);
  assert.equal(args.text("shell"), undefined);
});

Deno.test("parseArguments names what it does not understand", () => {
  const cases: [string[], string][] = [
    [["a", "--prfile", "x"], "unknown option --prfile, did you mean --profile?"],
    [["a", "-x"], "unknown option -x"],
    [["a", "--profile"], "--profile needs a value: --profile DIR"],
    [["a", "--profile", "--dry-run"], "--profile needs a value: --profile DIR"],
    [["a", "--profile="], "--profile needs a value: --profile DIR"],
    [["a", "--dry-run=yes"], `--dry-run takes no value, found "yes"`],
    [["a", "--shell", "csh"], `--shell takes "bash" or "zsh", found "csh"`],
    [[], "THREAD is missing"],
    [["a", "b", "c"], `unexpected argument "c"`],
    [["a", "--profile", "x", "--profile", "y"], "--profile is given twice"],
  ];
  for (const [argv, message] of cases) {
    assert.throws(() => parseArguments(argv, command), new UsageError(message));
  }
});

Deno.test("parseArguments collects an option that may stand more than once", () => {
  const args = parseArguments(["a", "--image", "1.png", "--image=2,3.png"], command);
  assert.deepEqual(args.all("image"), ["1.png", "2,3.png"]);
});

Deno.test("parseArguments lets --help stand alone", () => {
  assert.ok(parseArguments(["--help"], command).has("help"));
});

Deno.test("Arguments reads whole numbers and refuses others", () => {
  const counted: Action = {
    ...command,
    options: [{ name: "keep", value: "N", summary: "how many" }],
  };
  assert.equal(parseArguments(["a", "--keep", "3"], counted).number("keep", 1), 3);
  assert.throws(
    () => parseArguments(["a", "--keep", "0x1"], counted).number("keep", 1),
    /--keep needs a whole number of at least 1, found "0x1"/,
  );
});
