/** `manifest`: what the host reads before it starts the plugin. */
import { loadConfig } from "../../config/config.ts";
import { manifestFor } from "../../manifest.ts";
import type { Arguments } from "./arguments.ts";
import { EXIT } from "./exit.ts";
import { profileOf } from "./profile_option.ts";
import { complain, print, printable } from "./terminal.ts";

/**
 * Prints the manifest of the current configuration as JSON.
 * @throws {ConfigError} A manifest without the models that the file names would be no manifest.
 */
export function printManifest(args: Arguments): number {
  const { config, warnings } = loadConfig(profileOf(args).config);
  for (const warning of warnings) complain(`warning: ${printable(warning)}`);
  print(JSON.stringify(manifestFor(config.supported_models), null, 2));
  return EXIT.ok;
}
