/** Environment variables, by name. */
export type Variables = Record<string, string>;
