/**
 * Images of a message → files that codex can be pointed at.
 *
 * codex drops what it cannot show in silence, and the model's service refuses the rest of what is no
 * picture with the whole request. So the bytes are looked at before anything is started, and codex
 * gets copies: what an agent puts in a file's place meanwhile, and a comma in its path (at which
 * `--image` splits), are no matter then.
 *
 * @module
 */
import { resolve } from "@std/path";
import { errorMessage, isShortage } from "../base/error_message.ts";
import { readForeignFile, UnusableFile } from "../base/files.ts";
import { decodeBase64, lookAtPicture, PICTURE_EXTENSIONS } from "../base/picture.ts";
import type { TurnDirectory } from "./process/turn_directory.ts";
import { TurnError } from "./turn_event.ts";

/** A longer file is refused. Inline, the host's frame is the limit. */
const MAX_IMAGE_BYTES = 64 * 1024 * 1024;

/** An image as a host gives it; one of the three sources. */
export interface ImageInput {
  /** Which content block of a message it is, from 0. */
  block?: number | undefined;
  /** A file; relative to the workspace. */
  path?: string | undefined;
  dataBase64?: string | undefined;
  /** Only `data:` URLs. */
  url?: string | undefined;
}

/** A picture that can be shown. */
export interface Image {
  bytes: Uint8Array;
  /** As the bytes have it, whatever was said of them. */
  mediaType: string;
}

/**
 * Reads the images and looks at them.
 * @param cwd Where relative paths begin.
 * @throws {TurnError} `invalid_request` naming the content block and what is wrong with it.
 */
export async function readImages(
  images: readonly ImageInput[],
  cwd: string,
  signal?: AbortSignal,
): Promise<Image[]> {
  const read: Image[] = [];
  for (const [at, image] of images.entries()) {
    try {
      const bytes = await bytesOf(image, cwd, signal);
      const picture = lookAtPicture(bytes);
      if (picture.fault !== undefined) throw new Unusable(picture.fault);
      read.push({ bytes, mediaType: picture.mediaType });
    } catch (error) {
      if (!(error instanceof Unusable)) throw error;
      const where = image.block === undefined ? "" : ` (content[${image.block}])`;
      throw new TurnError({
        kind: "invalid_request",
        message: `codex: image ${at + 1}${where} ${error.message}`,
        retryable: false,
        hint: error.hint,
      });
    }
  }
  return read;
}

/** Writes the images into the turn's directory; returns paths for codex, in order. */
export function writeImages(images: readonly Image[], directory: TurnDirectory): string[] {
  return images.map(({ bytes, mediaType }, at) =>
    directory.write(`image-${at + 1}.${PICTURE_EXTENSIONS[mediaType] ?? "bin"}`, bytes)
  );
}

/** What is wrong with an image, to be read behind its name. */
class Unusable extends Error {
  constructor(message: string, readonly hint = "Send a whole PNG, JPEG, GIF or WebP file.") {
    super(message);
  }
}

async function bytesOf(
  { path, url, dataBase64 }: ImageInput,
  cwd: string,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  if (path !== undefined) return await fileAt(resolve(cwd, path), signal);
  if (url !== undefined && !/^\s*data:/i.test(url)) {
    throw new Unusable(
      `has a url that is not a base64 data: URL (${url.slice(0, 40)})`,
      "codex does not fetch images: send data_base64, a data: URL or a path.",
    );
  }
  const text = url ?? dataBase64;
  if (text === undefined) {
    throw new Unusable("has neither path, data_base64 nor url", "Give one of the three.");
  }
  const bytes = decodeBase64(text);
  if (bytes === undefined) throw new Unusable("has data that is not base64", "Send base64.");
  return bytes;
}

async function fileAt(path: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  try {
    const real = await Deno.realPath(path);
    return await readForeignFile(real, { maxBytes: MAX_IMAGE_BYTES, ...(signal && { signal }) });
  } catch (error) {
    signal?.throwIfAborted();
    if (isShortage(error)) throw error;
    const why = error instanceof UnusableFile ? error.why : errorMessage(error);
    throw new Unusable(`cannot be read: ${path}: ${why}`, "Check the path.");
  }
}
