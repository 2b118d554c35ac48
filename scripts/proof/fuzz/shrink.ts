/** A failing case made smaller for as long as it still fails. */

/** How often to try; a case that is a little larger than needed is good enough. */
const ATTEMPTS = 3000;

/** The smallest case found; `fails` says whether one still fails. */
export async function shrink(
  bytes: Uint8Array,
  fails: (smaller: Uint8Array) => Promise<boolean>,
): Promise<Uint8Array> {
  let smallest = bytes;
  let attempts = 0;
  for (let size = Math.ceil(bytes.length / 2); size >= 1 && attempts < ATTEMPTS;) {
    let shrunk = false;
    for (let at = 0; at < smallest.length && attempts < ATTEMPTS; attempts++) {
      const smaller = without(smallest, at, size);
      if (await fails(smaller)) {
        smallest = smaller;
        shrunk = true;
      } else at += size;
    }
    if (!shrunk || size > smallest.length) size = size === 1 ? 0 : Math.ceil(size / 2);
  }
  return smallest;
}

function without(bytes: Uint8Array, at: number, length: number): Uint8Array {
  return new Uint8Array([...bytes.subarray(0, at), ...bytes.subarray(at + length)]);
}
