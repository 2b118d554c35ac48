/**
 * What the plugin is called. Apart from the protocol, whose schemas no help text should wait for.
 *
 * @module
 */

/** The plugin's name on every wire and in the profile. */
export const PLUGIN_NAME = "plexum-openai-provider";
/** The file that an operator drops into the profile. */
export const EXECUTABLE_NAME = "plexum-openai-provider-plugin";
