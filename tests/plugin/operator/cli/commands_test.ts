import { strict as assert } from "node:assert";
import { parseArguments } from "../../../../plugin/operator/cli/arguments.ts";
import { type Action, isGroup, isRaw } from "../../../../plugin/operator/cli/command.ts";
import { COMMANDS } from "../../../../plugin/operator/cli/commands.ts";
import { ERROR_KINDS, helpOf, overview, TOPICS } from "../../../../plugin/operator/cli/help.ts";
import { widthOf } from "../../../../plugin/operator/cli/text.ts";

/** Every command that does something, by its whole name. */
const ACTIONS: [string, Action][] = Object.entries(COMMANDS).flatMap(([name, command]) => {
  if (isRaw(command)) return [];
  if (!isGroup(command)) return [[name, command] as [string, Action]];
  return Object.entries(command.commands).map(([sub, action]): [string, Action] => [
    `${name} ${sub}`,
    action,
  ]);
});

Deno.test("every command has a summary without a full stop, and an example that it understands", () => {
  for (const [name, action] of ACTIONS) {
    assert.match(action.summary, /^[^A-Z].*[^.]$/, name);
    assert.ok((action.examples ?? []).length > 0, name);
    for (const { line } of action.examples ?? []) {
      assert.ok(line.startsWith(name), `${name}: ${line}`);
      // As a shell would split it, as far as our examples need that.
      const words = line.slice(name.length).replace(/ [<>] \S+/g, "").match(/"[^"]*"|\S+/g) ?? [];
      parseArguments(words.map((word) => word.replaceAll('"', "")), action);
    }
  }
});

Deno.test("help fits 40 and 80 columns, but for words that are longer", () => {
  for (const width of [40, 80]) {
    const texts = [overview(COMMANDS, TOPICS, width)];
    for (const [name, command] of Object.entries(COMMANDS)) {
      texts.push(helpOf(name, command, width));
    }
    for (const [name, action] of ACTIONS) texts.push(helpOf(name, action, width));
    for (const text of texts) {
      for (const line of text.split("\n")) {
        const command = /^ {2}plexum-openai-provider-plugin /.test(line); // to be copied whole
        const long = line.trim().split(" ").some((word) => word.length > width - 12);
        assert.ok(widthOf(line) <= width || command || long, `${width}: ${line}`);
      }
    }
  }
});

Deno.test("help errors explains every kind of error that a host can get", () => {
  const text = TOPICS.errors?.text() ?? "";
  for (const kind of Object.keys(ERROR_KINDS)) {
    assert.match(text, new RegExp(`^${kind}: .{15}`, "m"));
  }
});
