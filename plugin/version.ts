/**
 * Which build this is. The bundler puts the two constants in; run from source, the version comes
 * from deno.json (its one source) and there is no commit to speak of.
 */
import config from "../deno.json" with { type: "json" };

declare const PLEXUM_VERSION: string;
declare const PLEXUM_COMMIT: string;

/** The version of this program, as in deno.json. */
export const VERSION: string = typeof PLEXUM_VERSION === "string" ? PLEXUM_VERSION : config.version;

/** The commit it was built from, 12 digits, `-dirty` with changes; `"source"` when not built. */
export const COMMIT: string = typeof PLEXUM_COMMIT === "string" ? PLEXUM_COMMIT : "source";
