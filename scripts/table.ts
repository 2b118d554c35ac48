/** Tables in Markdown. */

/** One row. */
export function row(cells: readonly unknown[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** The whole of it, as `deno fmt` writes it: every column as wide as its widest cell. */
export function table(head: readonly unknown[], rows: readonly (readonly unknown[])[]): string {
  const texts = [head, ...rows].map((cells) => cells.map(String));
  const widths = head.map((_, column) =>
    Math.max(3, ...texts.map((cells) => [...cells[column] ?? ""].length))
  );
  const [first = [], ...others] = texts.map((cells) =>
    cells.map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - [...cell].length))
  );
  return [first, widths.map((width) => "-".repeat(width)), ...others].map(row).join("\n");
}

/** A number with as many digits as mean something. */
export function short(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}
