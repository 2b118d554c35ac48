/**
 * What counts for a turn and why: every option's value and where it comes from. Pure.
 *
 * @module
 */
import type { Config, Override } from "../../config/config_schema.ts";
import { isObject } from "../../../base/json_object.ts";
import { redact } from "../../log.ts";
import { configOptions } from "./config_reference.ts";

/** Where a value comes from; later ones win. */
export type Source = "default" | "file" | "model" | "agent";

/** One option with its value. */
export interface Effective {
  /** E.g. `timeouts.start_ms`. */
  key: string;
  value: unknown;
  source: Source;
}

/** For whom. */
export interface ForWhom {
  model?: string | undefined;
  agent?: string | undefined;
}

/**
 * Every option but the overrides themselves, which are worked in. `raw` is what the file says, as
 * JSON. Values of environment variables are not shown: many are secrets.
 */
export function effectiveConfig(config: Config, raw: unknown, whom: ForWhom): Effective[] {
  const layers: [Source, Override | undefined][] = [
    ["model", whom.model === undefined ? undefined : config.models[whom.model]],
    ["agent", whom.agent === undefined ? undefined : config.agents[whom.agent]],
  ];
  return configOptions().filter(({ path, group }) => !group && !path.includes("<id>"))
    .map(({ path }) => {
      const own: Effective = {
        key: path.join("."),
        value: lookUp(config, path),
        source: lookUp(raw, path) === undefined ? "default" : "file",
      };
      const found = layers.reduce((below, [source, layer]) => over(below, source, layer), own);
      return { ...found, value: shown(found.key, found.value) };
    });
}

function over(below: Effective, source: Source, layer: Override | undefined): Effective {
  const { key, value } = below;
  if (layer === undefined) return below;
  if (key === "extra_args") {
    if (layer.args === undefined || !Array.isArray(value)) return below;
    return { key, value: [...value, ...layer.args], source };
  }
  const above = lookUp(layer, key.split("."));
  if (key === "env" && isObject(above) && isObject(value)) {
    return { key, value: { ...value, ...above }, source };
  }
  return above === undefined ? below : { key, value: above, source };
}

function shown(key: string, value: unknown): unknown {
  if (key !== "env" || typeof value !== "object" || value === null) return redact(value);
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, name === "CODEX_HOME" ? one : "[not shown]"]),
  );
}

function lookUp(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === "object" && at !== null && Object.hasOwn(at, key)
        ? (at as Record<string, unknown>)[key]
        : undefined,
    value,
  );
}
