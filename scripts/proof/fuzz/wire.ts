/** What a worker and its supervisor know of each other. */

/** What a worker says. */
export type Report =
  | { kind: "ready"; kept: number }
  | { kind: "progress"; cases: number }
  | { kind: "failure"; case: string; message: string };

/** The file with the number of the case (u32), its length (u32) and its bytes. */
export const CURRENT = "current";
