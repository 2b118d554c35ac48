/**
 * `deno task demo [-- --codex PATH]`: the plugin at work, from nothing, in a minute.
 *
 * Builds the executable, drops it into a throw-away Plexum profile, starts it as a host would and
 * runs real turns with a real codex. Without `--codex` that is the newest tested one, fetched once,
 * and the model is a scripted one on loopback: no account is needed. With `--codex PATH` it is that
 * codex with the user's own login and the real model; codex then keeps the thread in its own home,
 * as it always does. Everything else lies in one temporary folder, which is removed.
 *
 * Exit 0 after `demo: ok`, 1 when something failed, 64 for wrong options.
 */
import { parseArgs } from "node:util";
import { ACTS, type Story } from "./demo/acts.ts";
import { setStage } from "./demo/stage.ts";
import * as transcript from "./demo/transcript.ts";

/** Plays every act that the plugin can play. Throws with the act's name when one fails. */
async function demo(codex: string | undefined): Promise<void> {
  const begun = performance.now();
  transcript.note("setting the stage …");
  const stage = await setStage(codex);
  await using lab = stage.lab;
  const { serverInfo, capabilities } = lab.hello;
  const { manifest, features } = capabilities.experimental.plexum;
  transcript.heading(`${serverInfo.name} ${serverInfo.version}`, [
    ["profile", lab.sandbox.profile],
    ["codex", stage.codex],
    ["model", stage.scripted ? "scripted, on loopback" : "the real one, with your login"],
    ["offers", JSON.stringify(manifest["contracts"])],
    ["ready in", `${Math.round(performance.now() - begun)} ms`],
  ]);
  const story: Story = { calls: [] };
  using _interrupt = onInterrupt(() => lab.host.kill("SIGTERM"));
  for (const [index, act] of ACTS.entries()) {
    if (!features.includes(act.feature)) {
      transcript.skipped(index + 1, act.title, `this build has no ${act.feature} yet`);
      continue;
    }
    transcript.act(index + 1, act.title);
    try {
      await act.play(stage, story);
    } catch (error) {
      throw new Error(`act ${index + 1} (${act.title}) failed`, { cause: error });
    }
  }
}

/** Ctrl-C ends the plugin, so that the stage is cleared as after any other failure. */
function onInterrupt(stop: () => void): Disposable {
  const interrupted = () => {
    console.error("\ninterrupted");
    stop();
  };
  Deno.addSignalListener("SIGINT", interrupted);
  return { [Symbol.dispose]: () => Deno.removeSignalListener("SIGINT", interrupted) };
}

/** The message of an error and of what caused it, and of what failed while cleaning up. */
function reasons(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ("suppressed" in error && "error" in error) {
    return `${reasons(error.suppressed)}\nand then: ${reasons(error.error)}`;
  }
  return error.cause === undefined ? error.message : `${error.message}: ${reasons(error.cause)}`;
}

if (import.meta.main) {
  let codex: string | undefined;
  try {
    const args = Deno.args.filter((arg) => arg !== "--");
    codex = parseArgs({ args, options: { codex: { type: "string" } } }).values.codex;
  } catch (error) {
    console.error(`demo: ${reasons(error)}\nusage: deno task demo [-- --codex PATH]`);
    Deno.exit(64);
  }
  try {
    await demo(codex);
    transcript.farewell("demo: ok");
  } catch (error) {
    console.error(`\ndemo: failed: ${reasons(error)}`);
    Deno.exit(1);
  }
}
