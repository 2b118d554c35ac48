import { strict as assert } from "node:assert";
import fc from "fast-check";
import { type WideMemory, wideMemory } from "../../base/wide_memory.ts";
import { plainBuffer, readAt, scanLines } from "../../rollout/scan.ts";

/** Scans a file of this content and gives what was seen, with copied bytes. */
function scan(content: Uint8Array, options?: Parameters<typeof scanLines>[1]) {
  const path = Deno.makeTempFileSync();
  try {
    Deno.writeFileSync(path, content);
    using file = Deno.openSync(path);
    return Array.from(
      scanLines(file, options),
      (line) => ({ ...line, bytes: line.bytes.slice() }),
    );
  } finally {
    Deno.removeSync(path);
  }
}

/** Lines of the given lengths, each filled with a digit of its own. */
function content(lengths: number[], terminated: boolean): Uint8Array {
  const lines = lengths.map((length, i) => String(i % 10).repeat(length));
  return new TextEncoder().encode(lines.join("\n") + (terminated && lines.length > 0 ? "\n" : ""));
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

// Around the 256 KiB of one read, and far beyond it.
const length = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.integer({ min: 262_100, max: 262_200 }),
  fc.integer({ min: 500_000, max: 1_100_000 }),
);

Deno.test("scanLines gives every line with its offset, across reads and growing lines", () => {
  fc.assert(
    fc.property(fc.array(length, { maxLength: 12 }), fc.boolean(), (lengths, terminated) => {
      const whole = content(lengths, terminated);
      let offset = 0;
      for (const line of scan(whole)) {
        assert.equal(line.offset, offset);
        assert.equal(line.length, line.bytes.length);
        assert.equal(line.overlong, false);
        assert.ok(same(line.bytes, whole.subarray(offset, offset + line.length)));
        offset += line.length + (line.terminated ? 1 : 0);
      }
      assert.equal(offset, whole.length);
    }),
    { numRuns: 30 },
  );
});

Deno.test("scanLines reads only between from and to", () => {
  const whole = content([3, 4, 5, 6], true);
  const seen = scan(whole, { from: 4, to: 15 }).map(({ offset, length }) => [offset, length]);
  assert.deepEqual(seen, [[4, 4], [9, 5]]);
});

Deno.test("scanLines gives the head of a line over the limit, its length, and what follows", () => {
  const maxLine = 600_000;
  const lines = scan(content([10, 5_000_000, 20, 600_001, 600_000], true), { maxLine });
  assert.deepEqual(lines.map((line) => [line.length, line.overlong]), [
    [10, false],
    [5_000_000, true],
    [20, false],
    [600_001, true],
    [600_000, false],
  ]);
  assert.equal(lines[1]?.bytes.length, 262_128);
  assert.ok(lines[1]?.bytes.every((byte) => byte === 0x31));
  assert.equal(lines[2]?.bytes[0], 0x32);
});

Deno.test("scanLines tells that the rest of a file has no newline", () => {
  assert.deepEqual(scan(content([3, 4], false)).map((line) => line.terminated), [true, false]);
  assert.deepEqual(scan(new Uint8Array(0)), []);
});

Deno.test("readAt reads at an offset, and less where the file ends", () => {
  const path = Deno.makeTempFileSync();
  Deno.writeTextFileSync(path, "0123456789");
  {
    using file = Deno.openSync(path);
    assert.equal(new TextDecoder().decode(readAt(file, 3, 4)), "3456");
    assert.equal(new TextDecoder().decode(readAt(file, 8, 4)), "89");
  }
  Deno.removeSync(path);
});

Deno.test("WideMemory finds newlines wide as it does byte by byte, and keeps its bytes when it grows", () => {
  const wide = wideMemory();
  assert.ok(wide, "this platform has WebAssembly with SIMD");
  const size = wide.bytes.length;
  const place = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: size }));
  fc.assert(
    fc.property(fc.array(place), place, place, (newlines, a, b) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b)];
      const find = (buffer: WideMemory): number => {
        buffer.bytes.fill(0x8a);
        for (const at of newlines) buffer.bytes[at] = 10;
        return buffer.newline(from, to);
      };
      assert.equal(find(wide), find(plainBuffer()));
    }),
    { numRuns: 500 },
  );
  for (const buffer of [wide, plainBuffer()]) {
    buffer.bytes.fill(1);
    buffer.bytes[77] = 10;
    buffer.grow(size * 3 + 1);
    assert.ok(buffer.bytes.length >= size * 3 + 1);
    assert.equal(buffer.newline(0, size), 77);
  }
});

Deno.test("scanLines may be used inside scanLines", () => {
  const path = Deno.makeTempFileSync();
  Deno.writeTextFileSync(path, "one\ntwo\n");
  {
    using outer = Deno.openSync(path);
    using inner = Deno.openSync(path);
    const seen = Array.from(scanLines(outer), (line) => {
      const all = Array.from(scanLines(inner), ({ bytes }) => new TextDecoder().decode(bytes));
      return `${new TextDecoder().decode(line.bytes)}: ${all}`;
    });
    assert.deepEqual(seen, ["one: one,two", "two: one,two"]);
  }
  Deno.removeSync(path);
});
