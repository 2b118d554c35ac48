/**
 * Whether bytes are a picture that a model can be shown, and which kind: told by the bytes alone,
 * for names and media types lie. Pure; nothing is decoded but the frame of the file.
 *
 * Taken are PNG, JPEG, GIF and WebP, whole and with a size. codex and the model's service take no
 * others, and say so late, with few words, or not at all.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";

/** What a picture is, or in words why it cannot be used ("is empty", "is an SVG drawing, …"). */
export type Picture =
  | { mediaType: "image/png" | "image/jpeg" | "image/gif" | "image/webp"; fault?: undefined }
  | { fault: string };

/** File name extensions of the kinds that are taken. */
export const PICTURE_EXTENSIONS: Readonly<Record<string, string>> = {
  "image/png": "png",
  "image/jpeg": "jpg",
  "image/gif": "gif",
  "image/webp": "webp",
};

const WANTED = "use PNG, JPEG, GIF or WebP";

/** Looks at a whole file. The fault reads behind the name of what was looked at: "image 1 is empty". */
export function lookAtPicture(bytes: Uint8Array): Picture {
  if (bytes.length === 0) return { fault: "is empty" };
  if (startsWith(bytes, "\x89PNG\r\n\x1a\n")) return verdict("image/png", pngFault(bytes));
  if (startsWith(bytes, "\xff\xd8\xff")) return verdict("image/jpeg", jpegFault(bytes));
  if (startsWith(bytes, "GIF87a") || startsWith(bytes, "GIF89a")) {
    return verdict("image/gif", gifFault(bytes));
  }
  if (startsWith(bytes, "RIFF") && latin1(bytes, 8, 12) === "WEBP") {
    return verdict("image/webp", webpFault(bytes));
  }
  return { fault: `${otherKind(bytes)}: ${WANTED}` };
}

/**
 * The bytes behind base64 as people write it: with line breaks, without padding, in the URL alphabet,
 * behind a `data:` prefix. `undefined` where it is none.
 */
export function decodeBase64(text: string): Uint8Array | undefined {
  const prefix = /^\s*data:[^,]{0,200},/i.exec(text)?.[0] ?? "";
  if (prefix !== "" && !/;\s*base64\s*,$/i.test(prefix)) return undefined;
  const digits = text.slice(prefix.length).replaceAll(/\s+/g, "").replace(/={1,2}$/, "");
  if (!/^[A-Za-z0-9+/_-]*$/.test(digits) || digits.length % 4 === 1) return undefined;
  return new Uint8Array(Buffer.from(digits, "base64"));
}

/** Standard base64, padded, on one line. */
export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

function verdict(
  mediaType: "image/png" | "image/jpeg" | "image/gif" | "image/webp",
  fault: string | undefined,
): Picture {
  if (fault === undefined) return { mediaType };
  return { fault: `is a broken ${mediaType.slice(6).toUpperCase()} file: ${fault}` };
}

const CUT = "it is cut off";
const NO_SIZE = "it has no width or no height";

/** Chunks of length, type, data and checksum, from IHDR to IEND. */
function pngFault(bytes: Uint8Array): string | undefined {
  const view = viewOf(bytes);
  let pixels = false;
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    const end = at + 12 + length;
    if (end > bytes.length) return CUT;
    const type = latin1(bytes, at + 4, at + 8);
    if (crc32(bytes.subarray(at + 4, end - 4)) !== view.getUint32(end - 4)) {
      return `the checksum of its ${JSON.stringify(type)} part is wrong`;
    }
    if (at === 8) {
      if (type !== "IHDR" || length !== 13) return "it does not begin with a header";
      if (view.getUint32(16) === 0 || view.getUint32(20) === 0) return NO_SIZE;
    }
    if (type === "IDAT") pixels = true;
    if (type === "IEND") return pixels ? undefined : "it has no pixels";
    at = end;
  }
  return CUT;
}

/** Segments of marker and length up to the scan, which ends with a marker of its own. */
function jpegFault(bytes: Uint8Array): string | undefined {
  const view = viewOf(bytes);
  let sized = false;
  for (let at = 2; at + 4 <= bytes.length;) {
    if (bytes[at] !== 0xff) return `it has no marker at byte ${at}`;
    const marker = bytes[at + 1] ?? 0;
    if (marker === 0xff) {
      at++;
      continue;
    }
    // SOF0 to SOF15 without DHT, JPG and DAC tell the size.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      if (at + 9 > bytes.length) return CUT;
      if (view.getUint16(at + 5) === 0 || view.getUint16(at + 7) === 0) return NO_SIZE;
      if (marker === 0xc3 || marker > 0xc4) return "it is coded in a way that codex cannot read";
      sized = true;
    }
    if (marker === 0xda) {
      if (!sized) return "it has no frame header";
      return hasEndOfImage(bytes, at) ? undefined : CUT;
    }
    if (marker === 0xd9) return "it has no pixels";
    const alone = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8);
    at += alone ? 2 : 2 + view.getUint16(at + 2);
  }
  return CUT;
}

function hasEndOfImage(bytes: Uint8Array, from: number): boolean {
  for (let at = bytes.lastIndexOf(0xd9); at > from; at = bytes.lastIndexOf(0xd9, at - 1)) {
    if (bytes[at - 1] === 0xff) return true;
  }
  return false;
}

/** A header with the size, and behind it at least one image, which begins with a comma. */
function gifFault(bytes: Uint8Array): string | undefined {
  const view = viewOf(bytes);
  if (bytes.length < 13) return CUT;
  if (view.getUint16(6, true) === 0 || view.getUint16(8, true) === 0) return NO_SIZE;
  const flags = bytes[10] ?? 0;
  let at = 13 + (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
  while (at < bytes.length) {
    if (bytes[at] === 0x2c) return at + 11 <= bytes.length ? undefined : CUT;
    if (bytes[at] !== 0x21) return bytes[at] === 0x3b ? "it has no pixels" : "it is damaged";
    at += 2;
    while (at < bytes.length && bytes[at] !== 0) at += 1 + (bytes[at] ?? 0);
    at++;
  }
  return CUT;
}

/** A RIFF file of the length that it says, with pixels in its first part or behind a `VP8X`. */
function webpFault(bytes: Uint8Array): string | undefined {
  if (bytes.length < 20 || bytes.length < viewOf(bytes).getUint32(4, true) + 8) return CUT;
  const first = latin1(bytes, 12, 16);
  return ["VP8 ", "VP8L", "VP8X"].includes(first) ? undefined : "it has no pixels";
}

/** What it is instead, behind "image 1 …". */
function otherKind(bytes: Uint8Array): string {
  const head = latin1(bytes, 0, 512);
  if (head.startsWith("%PDF-")) return "is a PDF document";
  if (/^BM.{4}\0{4}/s.test(head)) return "is a BMP picture";
  if (head.startsWith("II*\0") || head.startsWith("MM\0*")) return "is a TIFF picture";
  if (/^.{4}ftyp(avif|avis)/s.test(head)) return "is an AVIF picture";
  if (/^.{4}ftyp(hei|hev|mif1|msf1)/s.test(head)) return "is a HEIC picture";
  if (head.startsWith("\0\0\x01\0")) return "is an icon file";
  if (/<svg[\s>]/i.test(head)) return "is an SVG drawing";
  if (/^\s*(<!doctype html|<html)/i.test(head)) return "is an HTML page";
  // deno-lint-ignore no-control-regex
  if (!/[\0-\x08\x0e-\x1f]/.test(head)) return "is text, not a picture";
  return "is not a picture of a kind that is known here";
}

function startsWith(bytes: Uint8Array, head: string): boolean {
  return bytes.length >= head.length && latin1(bytes, 0, head.length) === head;
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
