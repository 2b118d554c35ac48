/**
 * Images of a message → files that codex can be pointed at.
 *
 * @module
 */
import { isAbsolute, resolve } from "@std/path";
import type { TurnDirectory } from "./process/turn_directory.ts";
import { TurnError } from "./turn_event.ts";

/** An image as a host gives it; one of the three sources. */
export interface ImageInput {
  /** A file; relative to the workspace. */
  path?: string | undefined;
  dataBase64?: string | undefined;
  /** Only `data:` URLs. */
  url?: string | undefined;
  /** E.g. `image/png`. */
  mediaType?: string | undefined;
}

const EXTENSIONS: Record<string, string> = {
  "image/png": "png",
  "image/jpeg": "jpg",
  "image/gif": "gif",
  "image/webp": "webp",
};

/**
 * Paths for `--image`, in order; inline images are written to the turn's directory.
 * @throws {TurnError} `invalid_request` naming the image and what is wrong with it.
 */
export function imageFiles(
  images: readonly ImageInput[],
  workspace: string,
  directory: TurnDirectory,
): string[] {
  return images.map((image, i) => {
    if (image.path !== undefined) return existing(image.path, workspace, i);
    const inline = image.url === undefined ? image : fromDataUrl(image.url, i);
    if (inline.dataBase64 === undefined) {
      throw refused(i, "has neither path, data_base64 nor url", "Give one of the three.");
    }
    const extension = EXTENSIONS[inline.mediaType ?? "image/png"];
    if (extension === undefined) {
      throw refused(
        i,
        `is of media type ${JSON.stringify(inline.mediaType)}`,
        `Send one of ${Object.keys(EXTENSIONS).join(", ")}.`,
      );
    }
    return directory.write(`image-${i}.${extension}`, decodeBase64(inline.dataBase64, i));
  });
}

function existing(path: string, workspace: string, i: number): string {
  const absolute = isAbsolute(path) ? path : resolve(workspace, path);
  try {
    if (Deno.statSync(absolute).isFile) return absolute;
  } catch {
    // Said below.
  }
  throw refused(i, `is no readable file: ${absolute}`, "Check the path.");
}

function fromDataUrl(url: string, i: number): ImageInput {
  const match = /^data:([\w/+.-]*)(?:;[\w=-]+)*;base64,/.exec(url);
  if (match === null) {
    throw refused(
      i,
      `has a url that is no base64 data: URL (${url.slice(0, 40)})`,
      "codex does not fetch images: send data_base64, a data: URL or a path.",
    );
  }
  return { mediaType: match[1] || "image/png", dataBase64: url.slice(match[0].length) };
}

function decodeBase64(text: string, i: number): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    throw refused(i, "has data that is not base64", "Send standard base64 without a prefix.");
  }
}

function refused(i: number, what: string, hint: string): TurnError {
  return new TurnError({
    kind: "invalid_request",
    message: `codex: image ${i + 1} ${what}`,
    retryable: false,
    hint,
  });
}
