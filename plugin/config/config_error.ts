/**
 * Why `config.json` cannot be used. Apart from what reads it, so that a command line is told from
 * another without loading the schema.
 *
 * @module
 */

/** The file cannot be used; the message is what the host shows. */
export class ConfigError extends Error {
  override name = "ConfigError";
}
