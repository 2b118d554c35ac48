/**
 * The completion scripts in the real shells; those that are not installed are passed over.
 */
import { strict as assert } from "node:assert";
import { COMMANDS } from "../../../../plugin/operator/cli/commands.ts";
import { bash, fish, zsh } from "../../../../plugin/operator/cli/completion.ts";
import { skipped } from "../../../support/skipped.ts";

const NAME = "plexum-openai-provider-plugin";

function shell(program: string, args: string[]): string {
  const { success, stdout, stderr } = new Deno.Command(program, { args, stdin: "null" })
    .outputSync();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

function isMissing(program: string): boolean {
  try {
    new Deno.Command(program, { args: ["-c", "exit"], stdin: "null" }).outputSync();
    return false;
  } catch {
    return true;
  }
}

Deno.test({
  name: "bash completes commands, options, choices and directories",
  ignore: skipped(isMissing("bash"), "there is no bash"),
}, () => {
  const ask = `try() {
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=\${#COMP_LINE}
    _plexum_openai_provider; echo "\${COMPREPLY[*]}"
  }
  ${NAME}() { printf '%s\\n' hand:default hand:review cx; }
  try ${NAME} inst
  try ${NAME} config ""
  try ${NAME} config show --mo
  try ${NAME} turn --js
  try ${NAME} turn hello --js
  try ${NAME} completion z
  try ${NAME} turn --workspace /us
  try ${NAME} sessions consume cx --la
  try ${NAME} sessions show c
  line="${NAME} sessions show hand:re"; COMP_WORDS=(${NAME} sessions show hand : re); COMP_CWORD=5 COMP_LINE=$line COMP_POINT=${"$"}{#line}; _plexum_openai_provider; echo "${"$"}{COMPREPLY[*]}"
  try ${NAME} turn --agent c`;
  assert.deepEqual(shell("bash", ["-c", `${bash(COMMANDS)}\n${ask}`]).split("\n"), [
    "install",
    "check show schema --help",
    "--model",
    "--json",
    "--json",
    "zsh",
    "/usr",
    "--larger-than",
    "cx",
    "review",
    "cx",
  ]);
});

Deno.test(
  {
    name: "fish completes commands, options and choices",
    ignore: skipped(isMissing("fish"), "there is no fish"),
  },
  () => {
    const complete = (line: string) =>
      shell("fish", ["--no-config", "-c", `${fish(COMMANDS)}\ncomplete -C '${NAME} ${line}'`])
        .split("\n")
        .map((row) => row.split("\t")[0]);
    assert.deepEqual(complete("inst"), ["install"]);
    assert.deepEqual(complete("config ").sort(), ["check", "schema", "show"]);
    assert.deepEqual(complete("config show --mo"), ["--model"]);
    assert.deepEqual(complete("completion ").sort(), ["bash", "fish", "zsh"]);
  },
);

Deno.test({
  name: "zsh understands its script",
  ignore: skipped(isMissing("zsh"), "there is no zsh"),
}, () => {
  const path = Deno.makeTempFileSync();
  try {
    Deno.writeTextFileSync(path, zsh(COMMANDS));
    shell("zsh", ["-f", "-n", path]);
    const loaded = `autoload -Uz compinit; compinit -D; source ${path}; echo $_comps[${NAME}]`;
    assert.equal(shell("zsh", ["-f", "-c", loaded]), "_plexum_openai_provider");
  } finally {
    Deno.removeSync(path);
  }
});
