/**
 * Checks of what lies in the profile.
 *
 * @module
 */
import { join } from "@std/path";
import { ownUid } from "../../../base/open_file.ts";
import { errorMessage } from "../../../base/error_message.ts";
import { manifestFor } from "../../manifest.ts";
import { EXECUTABLE_NAME, PLUGIN_NAME } from "../../names.ts";
import { VERSION } from "../../version.ts";
import { type Check, fail, type Finding, ok, warn, type World } from "./check.ts";
import { LINE_TO_ADD, readPlexumJson } from "../setup/plexum_json.ts";
import { exists, readIfThere } from "../setup/step.ts";

const INSTALL = `Run ${EXECUTABLE_NAME} install.`;

/** In the order in which one would look. */
export const PLUGIN_CHECKS: readonly Check[] = [
  { id: "plugin_executable", run: executable },
  { id: "plugin_allowed", run: allowed },
  { id: "config", run: config },
  { id: "manifest", run: manifest },
  { id: "profile_permissions", run: permissions },
];

function executable({ paths, executable: [own = ""] }: World): Finding {
  const path = join(paths.plugin, EXECUTABLE_NAME);
  if (!exists(path)) return fail(`not installed in ${paths.plugin}`, INSTALL);
  const info = Deno.statSync(path);
  if (!info.isFile || ((info.mode ?? 0o755) & 0o100) === 0) {
    return fail(`${path} is not an executable file`, INSTALL);
  }
  const same = Deno.realPathSync(path) === Deno.realPathSync(own) ||
    Deno.statSync(own).size === info.size;
  if (same) return ok(`version ${VERSION}`, path);
  const installed = /"version"\s*:\s*"([^"]{1,64})"/.exec(readIfThere(paths.manifest) ?? "")?.[1];
  return warn(
    installed === VERSION
      ? `another build of version ${VERSION} is installed`
      : `this is version ${VERSION}, but ${installed ?? "another one"} is installed`,
    `To upgrade: ${own} install. To check the installed one: ${path} doctor.`,
    path,
  );
}

function allowed({ paths }: World): Finding {
  const path = join(paths.profile, "plexum.json");
  try {
    const plexum = readPlexumJson(paths.profile);
    if (plexum.allowed) return ok("the host may start the plugin", path);
    const why = plexum.text === undefined ? `there is no ${path}` : `${path} does not allow it`;
    return warn(
      `${PLUGIN_NAME} is not in plugins.allow`,
      `Run ${EXECUTABLE_NAME} install --allow, or add: ${LINE_TO_ADD}`,
      why,
    );
  } catch (error) {
    return fail("plexum.json cannot be read", "Repair it.", errorMessage(error));
  }
}

function config({ paths, configError, configWarnings }: World): Finding {
  if (configError !== undefined) {
    return fail("config.json cannot be used", `Repair it: ${paths.config}`, configError);
  }
  const [warning] = configWarnings;
  if (warning !== undefined) {
    return warn("config.json has keys that mean nothing", "Correct or remove them.", warning);
  }
  return ok(exists(paths.config) ? "config.json is fine" : "no config.json: all defaults");
}

function manifest({ paths, config, configError }: World): Finding {
  const text = readIfThere(paths.manifest);
  if (text === undefined) {
    return fail("manifest.json is missing: the host does not see the plugin", INSTALL);
  }
  if (configError !== undefined) {
    return warn("cannot be compared: config.json cannot be used", "Repair config.json first.");
  }
  const wanted = manifestFor(config.supported_models);
  try {
    const found: unknown = JSON.parse(text);
    if (JSON.stringify(found) === JSON.stringify(wanted)) {
      return ok(`offers ${wanted.contracts.provider.models.join(", ")}`, paths.manifest);
    }
  } catch {
    // Said below.
  }
  return fail(
    "manifest.json is not what the configuration and this version say",
    `${INSTALL} Then restart the host.`,
    "The host reads manifest.json before it starts the plugin, and would offer other models.",
  );
}

function permissions({ paths }: World): Finding {
  const loose: string[] = [];
  for (const path of [paths.profile, paths.plugin, join(paths.plugin, EXECUTABLE_NAME)]) {
    if (!exists(path)) continue;
    const { mode, uid } = Deno.statSync(path);
    if (((mode ?? 0) & 0o022) !== 0) loose.push(`${path} may be written by others`);
    if (uid !== null && uid !== 0 && uid !== ownUid()) loose.push(`${path} belongs to user ${uid}`);
  }
  if (loose.length > 0) {
    return fail(
      "others can change the plugin",
      "chmod go-w what is named, as the user who runs Plexum.",
      loose.join("; "),
    );
  }
  const open = exists(paths.config) && ((Deno.statSync(paths.config).mode ?? 0) & 0o077) !== 0;
  return open
    ? warn("others can read config.json", `chmod 600 ${paths.config}`)
    : ok("only this user can change the plugin");
}
