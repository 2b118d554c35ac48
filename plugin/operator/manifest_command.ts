/** `manifest`: what the host reads before it starts the plugin. */
import { manifestBeforeHandshake } from "../manifest.ts";
import { profilePaths, profileRoot } from "../profile.ts";
import { print } from "./cli.ts";
import { EXIT } from "./exit.ts";

/** Prints the manifest of the current configuration as JSON. */
export function printManifest(): number {
  const { config } = profilePaths(profileRoot((name) => Deno.env.get(name)));
  print(JSON.stringify(manifestBeforeHandshake(config), null, 2));
  return EXIT.ok;
}
