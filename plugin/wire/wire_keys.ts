/**
 * Params as hosts write them → params as `protocol.ts` has them. Go and TypeScript write the same
 * thing in different ways.
 *
 * @module
 */

/** Keys that are understood under another name on input. */
const OTHER_KEYS: Record<string, string> = {
  agentId: "agent_id",
  sessionId: "session_id",
  outputSchema: "output_schema",
  maxTokens: "max_tokens",
  input_schema: "inputSchema",
  toolUseId: "tool_use_id",
  isError: "is_error",
  dataBase64: "data_base64",
  mediaType: "media_type",
  blockId: "block_id",
};
/** Values that belong to the host or the model: their keys are never touched. */
const OPAQUE = new Set(["inputSchema", "output_schema", "input", "annotations", "_meta"]);

/**
 * Params as the schemas expect them: every known key under the protocol's name, and no key whose
 * value is `null`, which is how Go writes what is not there. Calls itself for each level: `isDeeper` comes
 * first.
 */
export function wireKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(wireKeys);
  if (typeof value !== "object" || value === null) return value;
  const entries: [string, unknown][] = [];
  for (const [key, inner] of Object.entries(value)) {
    if (inner === null) continue;
    const name = (Object.hasOwn(OTHER_KEYS, key) ? OTHER_KEYS[key] : undefined) ?? key;
    // With both present, the documented one wins.
    if (name !== key && Object.hasOwn(value, name)) continue;
    entries.push([name, OPAQUE.has(name) ? inner : wireKeys(inner)]);
  }
  return Object.fromEntries(entries);
}
