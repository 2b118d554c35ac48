/**
 * `manifest`: what the host reads before it starts the plugin. A host may wait for it, so it loads
 * nothing that measures text.
 *
 * @module
 */
import { loadConfig } from "../../config/config.ts";
import { manifestFor } from "../../self.ts";
import { type Arguments, profileOf } from "../cli/arguments.ts";
import { EXIT } from "../cli/command.ts";
import { printJson } from "../cli/terminal.ts";

/** Prints the manifest of the current configuration as JSON. */
export function printManifest(args: Arguments): number {
  printJson(manifestFor(loadConfig(profileOf(args).config).config.supported_models), 2);
  return EXIT.ok;
}
