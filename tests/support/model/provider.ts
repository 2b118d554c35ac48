/**
 * How codex is pointed at a scripted model: as the provider `scripted` of its configuration.
 *
 * No login and no key is needed, on 0.135.0 to 0.169.0. Retries are off, so that what a script says
 * once happens once. The name must not be "OpenAI": that one switches remote compaction on.
 */

/** A model that every supported codex knows and that takes plain function calls. */
const SCRIPTED_MODEL_NAME = "gpt-5.5";

/** The text of a config.toml; `url` as in `ScriptedModel.url`. */
export function providerToml(url: string, model: string = SCRIPTED_MODEL_NAME): string {
  return [
    `model = ${JSON.stringify(model)}`,
    `model_provider = "scripted"`,
    ``,
    `[model_providers.scripted]`,
    `name = "scripted"`,
    `base_url = ${JSON.stringify(url)}`,
    `wire_api = "responses"`,
    `request_max_retries = 0`,
    `stream_max_retries = 0`,
    ``,
  ].join("\n");
}
