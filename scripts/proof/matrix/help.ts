/**
 * The flags of a command, read from its `--help`. Pure.
 *
 * @module
 */

/**
 * Every flag as the help writes it, with its value's name and the values it may have:
 * `--sandbox <SANDBOX_MODE> [read-only, workspace-write]`. Sorted.
 */
export function flagsIn(help: string): string[] {
  const flags: string[] = [];
  for (const line of help.split("\n")) {
    const flag = /^ {2,6}(?:-\w, )?(--[a-z][\w-]*(?: <[^>]+>(?:\.\.\.)?)?)\s*(?:$| {2})/.exec(line);
    if (flag?.[1]) flags.push(flag[1]);
    const values = /^\s+\[possible values: (.+)\]$/.exec(line);
    if (values) flags.push(`${flags.pop() ?? ""} [${values[1]}]`);
  }
  return flags.sort();
}
