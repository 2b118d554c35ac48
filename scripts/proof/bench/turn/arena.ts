/**
 * Where contenders meet: one scripted model that answers at once, one codex binary, and for each of
 * them a home of its own with the same configuration.
 */
import { join } from "@std/path";
import { type ScriptedModel, startScriptedModel } from "../../../../tests/support/model/server.ts";
import { providerToml } from "../../../../tests/support/model/provider.ts";
import type { ScriptedStep } from "../../../../tests/support/model/step.ts";
import { newTestFolder } from "../../../../tests/support/cache.ts";
import { codexBinary, NEWEST_CODEX } from "../../../../tests/support/codex.ts";
import { executable } from "../../../../tests/support/checkout.ts";
import { Contender, environment } from "./contender.ts";
import { peerPackages } from "./peers.ts";
import { LEAN_TOML } from "../../../../tests/support/sandbox.ts";

const here = (name: string): string => join(import.meta.dirname ?? "", name);

/** The place; removed at its end. */
export class Arena implements AsyncDisposable {
  readonly root: string;
  readonly codex: string;
  readonly model: ScriptedModel;
  readonly #contenders: Contender[] = [];

  private constructor(root: string, codex: string, model: ScriptedModel) {
    this.root = root;
    this.codex = codex;
    this.model = model;
  }

  /** Opens it. `codex` is the binary that everybody runs: the newest real one unless it is given. */
  static async open(options: { fallback?: ScriptedStep; codex?: string } = {}): Promise<Arena> {
    const codex = options.codex ?? (await codexBinary(NEWEST_CODEX)).native;
    const model = startScriptedModel(options.fallback ? { fallback: options.fallback } : {});
    return new Arena(newTestFolder(), codex, model);
  }

  /** A home like all others; `toml` is added to codex's configuration. */
  home(name: string, toml = "", settings: Record<string, unknown> = {}): string {
    const home = join(this.root, name);
    for (const folder of ["codex", "p/plugins/plexum-openai-provider", "rt", "tmp", "work"]) {
      Deno.mkdirSync(join(home, folder), { recursive: true, mode: 0o700 });
    }
    const text = providerToml(this.model.url) + LEAN_TOML + toml;
    Deno.writeTextFileSync(join(home, "codex", "config.toml"), text);
    const config = join(home, "p/plugins/plexum-openai-provider", "config.json");
    Deno.writeTextFileSync(config, JSON.stringify({ binary: this.codex, ...settings }));
    return home;
  }

  /** The plugin, driven by a minimal host, with `settings` in its config.json. */
  async plugin(name = "plugin", settings: Record<string, unknown> = {}): Promise<Contender> {
    const { command, args } = await executable();
    const home = this.home(name, "", settings);
    return this.#enter([...DENO, here("host.ts"), command, ...args], home);
  }

  /** The smallest client of a `codex app-server` that stays. */
  smallest(name: string): Contender {
    return this.#enter(["node", here("smallest_app_server.mjs"), this.codex], this.home(name));
  }

  /** `codex exec --json`, started by Deno. */
  deno(name: string, toml = ""): Contender {
    return this.#enter([...DENO, here("spawner.ts"), this.codex], this.home(name, toml));
  }

  /** `codex exec --json`, started by Node. */
  node(name: string, toml = ""): Contender {
    return this.#enter(["node", here("spawner.mjs"), this.codex], this.home(name, toml));
  }

  /** `@openai/codex-sdk`. */
  codexSdk(name: string): Promise<Contender> {
    return this.#peer("codex_sdk.mjs", name);
  }

  /** `ai-sdk-provider-codex-cli`. */
  aiSdk(name: string): Promise<Contender> {
    return this.#peer("ai_sdk.mjs", name);
  }

  /** The same package's provider for `codex app-server`. */
  appServer(name: string): Promise<Contender> {
    return this.#peer("app_server.mjs", name);
  }

  /** The environment of a home. */
  environment(home: string): Record<string, string> {
    return { PATH: Deno.env.get("PATH") ?? "", ...environment(home) };
  }

  async #peer(program: string, name: string): Promise<Contender> {
    const packages = await peerPackages();
    return this.#enter(["node", here(program), this.codex, packages], this.home(name));
  }

  #enter(command: string[], home: string): Contender {
    const contender = new Contender(command, home);
    this.#contenders.push(contender);
    return contender;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const contender of this.#contenders) await contender[Symbol.asyncDispose]();
    await this.model.close();
    Deno.removeSync(this.root, { recursive: true });
  }
}

const DENO = [Deno.execPath(), "run", "--quiet", "--no-check", "--allow-all"];
