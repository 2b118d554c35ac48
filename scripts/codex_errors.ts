/**
 * `deno run -A scripts/codex_errors.ts VERSION`: asks a codex for the names that it gives to errors,
 * and keeps them for the test that holds runner/failure/error_names.ts against them.
 */
import { join } from "@std/path";
import { codexBinary } from "../tests/support/codex.ts";
import { codexErrorNames } from "../tests/support/codex_errors.ts";
import { ROOT } from "./project.ts";

const [version = ""] = Deno.args;
const names = await codexErrorNames((await codexBinary(version)).native);
const path = join(ROOT, "tests", "fixtures", "codex_error_names.json");
await Deno.writeTextFile(path, JSON.stringify({ version, names }, null, 2) + "\n");
console.log(`${names.length} names of codex ${version}`);
