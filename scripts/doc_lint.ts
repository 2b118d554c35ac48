/**
 * `deno doc --lint`, kept to what this project asks for: every exported name has a docstring, and
 * no exported signature mentions a type of ours that is not exported.
 *
 * Members may go without a docstring where their name says it all, the types of schemas are inferred
 * from the schemas by design, and a package's own types are no business of ours (newer versions of
 * Deno complain about them, older ones do not). Deno has no settings for these, so they are left out
 * here, which also makes the verdict the same on all versions.
 */

/** One complaint: its rule and the place it is about. */
export interface Complaint {
  rule: string;
  path: string;
  /** From 1. */
  line: number;
  /** For a type that is not exported: the line that declares it, as shown. */
  declaration?: string;
}

/** The complaints in what `deno doc --lint` says (without colours). */
export function complaints(output: string): Complaint[] {
  return output.split(/^(?=error\[)/m).flatMap((block) => {
    const head = /^error\[([\w-]+)\].*\n\s*--> (.*):(\d+):\d+\n/.exec(block);
    if (head === null) return [];
    const [, rule = "", path = "", line] = head;
    const [, declaration] = /\| (.*)\n.*- this is the referenced type/.exec(block) ?? [];
    return [{
      rule,
      path,
      line: Number(line),
      ...(declaration === undefined ? {} : { declaration }),
    }];
  });
}

/** Whether a complaint counts, given the text of the file it is about. */
export function counts({ rule, line, declaration }: Complaint, text: string): boolean {
  const lines = text.split("\n");
  switch (rule) {
    case "missing-explicit-type":
    case "missing-return-type":
      return false;
    case "missing-jsdoc":
      return !/^\s/.test(lines[line - 1] ?? ""); // indented: a member
    case "private-type-ref":
      if (/^export (?:interface|(?:abstract )?class) .* extends /.test(lines[line - 1] ?? "")) {
        return false; // a base that is not exported: only newer versions mind
      }
      return declaration === undefined || lines.includes(declaration);
    default:
      return true;
  }
}
