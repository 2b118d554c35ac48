/**
 * The peers' packages, installed from npm once per set of versions, outside the repository.
 */
import { existsSync } from "node:fs";
import { join } from "@std/path";
import { cacheDir, withCacheLock } from "../../../../tests/support/cache.ts";

/** What is compared with, and what it needs. */
export const PEERS: Record<string, string> = {
  "@openai/codex-sdk": "0.163.0",
  "ai-sdk-provider-codex-cli": "2.2.1",
  "ai": "7.0.173",
  "zod": "4.6.7",
};

/** The folder that has them in its `node_modules`. Throws Error when npm fails. */
export function peerPackages(): Promise<string> {
  const specs = Object.entries(PEERS).map(([name, version]) => `${name}@${version}`);
  const name = `peers-${PEERS["@openai/codex-sdk"]}-${PEERS["ai-sdk-provider-codex-cli"]}`;
  const folder = join(cacheDir(), name);
  return withCacheLock(name, async () => {
    if (existsSync(join(folder, "complete"))) return folder;
    Deno.mkdirSync(folder, { recursive: true });
    Deno.writeTextFileSync(join(folder, "package.json"), '{"private":true}\n');
    console.error(`fetching ${specs.join(", ")} from npm into ${folder} (once) ...`);
    // Without optional packages: no second codex.
    const { success, stderr } = await new Deno.Command("npm", {
      args: [
        ...["install", "--prefix", folder, "--ignore-scripts", "--omit=optional"],
        ...["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error", ...specs],
      ],
      stdin: "null",
      stdout: "null",
    }).output();
    if (!success) throw new Error(`npm install: ${new TextDecoder().decode(stderr).slice(-2000)}`);
    Deno.writeTextFileSync(join(folder, "complete"), "");
    return folder;
  });
}
