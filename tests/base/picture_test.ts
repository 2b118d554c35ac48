import assert from "node:assert/strict";
import { decodeBase64, encodeBase64, lookAtPicture } from "../../base/picture.ts";
import { PIXEL } from "../support/pixel.ts";

Deno.test("each kind of picture is known by its bytes, whatever it is called", () => {
  for (const [kind, base64] of Object.entries(PIXEL)) {
    assert.deepEqual(lookAtPicture(bytesOf(base64)), { mediaType: `image/${kind}` });
  }
});

Deno.test("a picture that is cut off or damaged is none", () => {
  for (const [kind, base64] of Object.entries(PIXEL)) {
    const whole = bytesOf(base64);
    const half = lookAtPicture(whole.subarray(0, whole.length / 2));
    assert.match(half.fault ?? "", new RegExp(`^is a broken ${kind} file: it is cut off`, "i"));
  }
  const png = bytesOf(PIXEL.png);
  png[50] = (png[50] ?? 0) ^ 1;
  assert.match(lookAtPicture(png).fault ?? "", /the checksum of its "IDAT" part is wrong/);
  const flat = bytesOf(PIXEL.gif);
  flat[6] = 0;
  assert.match(lookAtPicture(flat).fault ?? "", /no width or no height/);
});

Deno.test("what is no picture is named", () => {
  const rows: [string, RegExp][] = [
    ["", /^is empty$/],
    ["%PDF-1.7\n", /^is a PDF document: use PNG, JPEG, GIF or WebP$/],
    ['<?xml version="1.0"?><svg xmlns="x"/>', /^is an SVG drawing/],
    ["<!DOCTYPE html><p>404", /^is an HTML page/],
    ["no picture at all", /^is text, not a picture/],
    ["\0\0\0\x1cftypavif", /^is an AVIF picture/],
    ["II*\0\x08\0\0\0", /^is a TIFF picture/],
    ["\0\x01\x02\x03", /^is not a picture of a kind that is known here/],
  ];
  for (const [text, fault] of rows) {
    const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
    assert.match(lookAtPicture(bytes).fault ?? "", fault);
  }
});

Deno.test("nothing of any length makes it throw", () => {
  for (const base64 of Object.values(PIXEL)) {
    const whole = bytesOf(base64);
    for (let length = 0; length < whole.length; length++) lookAtPicture(whole.subarray(0, length));
    for (let at = 0; at < whole.length; at++) {
      for (const byte of [0, 0xff]) lookAtPicture(whole.with(at, byte));
    }
  }
});

Deno.test("base64 is read as people write it", () => {
  const png = bytesOf(PIXEL.png);
  const wrapped = PIXEL.png.replaceAll(/.{1,20}/g, "$&\r\n");
  const bare = PIXEL.png.replaceAll("=", "");
  const url = PIXEL.png.replaceAll("+", "-").replaceAll("/", "_");
  for (const text of [wrapped, bare, url, `data:image/png;base64,${PIXEL.png}`]) {
    assert.deepEqual(decodeBase64(text), png);
  }
  assert.equal(encodeBase64(png), PIXEL.png);
  for (const text of ["not base64!", "abcde", "data:image/png,abcd"]) {
    assert.equal(decodeBase64(text), undefined);
  }
});

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}

Deno.test("a JPEG that is coded arithmetically is none: codex drops it", () => {
  const bytes = bytesOf(
    "/9j/2wBDAAMCAgICAgMCAgIDAwMDBAYEBAQEBAgGBgUGCQgKCgkICQkKDA8MCgsOCwkJDRENDg8QEBEQCgwSExIQEw8QEBD/yQALCAABAAEBAREA/8wABgAQEAX/2gAIAQEAAD8A0s8g/9k=",
  );
  assert.match(lookAtPicture(bytes).fault ?? "", /coded in a way that codex cannot read/);
});
