/** `manifest`: what the host reads before it starts the plugin. */
import { manifestBeforeHandshake } from "../../manifest.ts";
import type { Arguments } from "./arguments.ts";
import { EXIT } from "./exit.ts";
import { profileOf } from "./profile_option.ts";
import { print } from "./terminal.ts";

/** Prints the manifest of the current configuration as JSON. */
export function printManifest(args: Arguments): number {
  print(JSON.stringify(manifestBeforeHandshake(profileOf(args).config), null, 2));
  return EXIT.ok;
}
