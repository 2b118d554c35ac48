/**
 * What figures depend on: the machine's class, and the versions of everything that took part.
 */
import { NEWEST_CODEX } from "../../../../tests/support/codex.ts";
import { PEERS } from "../turn/peers.ts";

/** E.g. "2 cores, Linux x86_64". */
export function machine(): string {
  const { os, arch } = Deno.build;
  const system = { linux: "Linux", darwin: "macOS" }[os as string] ?? os;
  return `${navigator.hardwareConcurrency} cores, ${system} ${arch}`;
}

/** Everything that took part. */
export async function versions(): Promise<string> {
  const node = await new Deno.Command("node", { args: ["--version"] }).output()
    .then(({ stdout }) => new TextDecoder().decode(stdout).trim().slice(1), () => "none");
  const peers = ["@openai/codex-sdk", "ai-sdk-provider-codex-cli"].map((name) =>
    `${name} ${PEERS[name]}`
  );
  return [`codex ${NEWEST_CODEX}`, `Deno ${Deno.version.deno}`, `Node ${node}`, ...peers].join(
    ", ",
  );
}
