/** The names that codex gives to errors, out of the schema that codex writes of its own wire. */
import { join } from "@std/path";

/** Names of one version, sorted, in the snake_case of the rollout. */
export interface CodexErrorNames {
  version: string;
  names: string[];
}

interface ErrorSchema {
  anyOf?: { enum?: string[]; required?: string[] }[];
  oneOf?: ErrorSchema["anyOf"];
}

/** Asks the codex at `path` for `CodexErrorInfo`. Throws where it does not tell. */
export async function codexErrorNames(path: string): Promise<string[]> {
  const directory = await Deno.makeTempDir();
  try {
    const { success, stderr } = await new Deno.Command(path, {
      args: ["app-server", "generate-json-schema", "--out", directory],
      env: { CODEX_HOME: directory, HOME: directory },
      stdin: "null",
      stdout: "null",
    }).output();
    if (!success) throw new Error(`codex wrote no schema: ${new TextDecoder().decode(stderr)}`);
    const text = await Deno.readTextFile(join(directory, "codex_app_server_protocol.schemas.json"));
    const schema: { definitions: { v2: { CodexErrorInfo: ErrorSchema } } } = JSON.parse(text);
    const { anyOf, oneOf } = schema.definitions.v2.CodexErrorInfo;
    const names = (anyOf ?? oneOf ?? []).flatMap((one) => one.enum ?? one.required ?? []);
    if (names.length === 0) {
      throw new Error(`codex's schema names no errors: ${text.slice(0, 200)}`);
    }
    return names.map(snakeCase).sort();
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
