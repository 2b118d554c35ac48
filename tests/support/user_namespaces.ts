/** User namespaces: what codex builds its sandbox of on Linux, and not allowed in every container. */

let allowed: boolean | undefined;

/** Whether `unshare` with these options works here. */
export function canUnshare(...options: string[]): boolean {
  try {
    return new Deno.Command("unshare", { args: [...options, "true"], stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

/** What the plugin's configuration needs for commands to run here. */
export function sandboxHere(): { sandbox?: "danger-full-access" } {
  return codexCanSandbox() ? {} : { sandbox: "danger-full-access" };
}

/** Whether codex's sandbox can work here. */
export function codexCanSandbox(): boolean {
  return allowed ??= Deno.build.os !== "linux" || canUnshare("--user", "--map-root-user");
}
