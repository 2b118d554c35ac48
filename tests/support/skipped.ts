/**
 * Tests that cannot run everywhere say why they did not: `ignore: skipped(!isRoot, "…")`.
 */

/**
 * Returns `when`, and says the reason when that is true: into the file that `deno task test` names and
 * shows at its end, else to stderr (what a test file prints while it is loaded is not shown).
 */
export function skipped(when: boolean, reason: string): boolean {
  if (!when) return false;
  const file = Deno.env.get("PLEXUM_TEST_SKIPPED");
  if (file === undefined) console.error(`skipped: ${reason}`);
  else Deno.writeTextFileSync(file, `skipped: ${reason}\n`, { append: true });
  return true;
}
