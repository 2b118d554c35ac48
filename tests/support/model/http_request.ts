/**
 * One HTTP/1.1 request, read from a socket: a head up to 64 KiB and a body of a declared length
 * up to 64 MiB, which is all that codex's client sends to a model provider of its config.
 */

/** What the client sent; `path` is the raw request target. */
export interface HttpRequest {
  method: string;
  path: string;
  headers: Headers;
  body: Uint8Array;
}

const HEAD_LIMIT = 64 * 1024;
const BODY_LIMIT = 64 * 1024 * 1024;

/**
 * Reads one request. Undefined when the client hung up before it had sent a whole one; throws
 * RangeError for a head or body over its limit, TypeError for a body that has no declared length.
 */
export async function readRequest(conn: Deno.TcpConn): Promise<HttpRequest | undefined> {
  let buffer = new Uint8Array(16 * 1024);
  let filled = 0;
  let bodyAt = -1;
  const more = async (): Promise<boolean> => {
    if (filled === buffer.length) {
      const wider = new Uint8Array(buffer.length * 2);
      wider.set(buffer);
      buffer = wider;
    }
    const count = await conn.read(buffer.subarray(filled));
    filled += count ?? 0;
    return count !== null;
  };
  while ((bodyAt = headEnd(buffer, filled)) < 0) {
    if (filled > HEAD_LIMIT) throw new RangeError(`request head is over ${HEAD_LIMIT} bytes`);
    if (!await more()) return undefined;
  }
  const [first, ...rest] = new TextDecoder().decode(buffer.subarray(0, bodyAt - 4)).split("\r\n");
  const headers = new Headers();
  for (const line of rest) {
    headers.append(line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1));
  }
  const length = Number(headers.get("content-length") ?? 0);
  if (headers.has("transfer-encoding")) {
    throw new TypeError("a chunked request body is not read here");
  }
  if (!(length <= BODY_LIMIT)) {
    throw new RangeError(`request body must be <= ${BODY_LIMIT} bytes: ${length}`);
  }
  while (filled < bodyAt + length) if (!await more()) return undefined;
  const [method = "", path = ""] = (first ?? "").split(" ");
  return { method, path, headers, body: buffer.slice(bodyAt, bodyAt + length) };
}

function headEnd(buffer: Uint8Array, filled: number): number {
  for (let at = buffer.indexOf(13); at >= 0 && at + 3 < filled; at = buffer.indexOf(13, at + 1)) {
    if (buffer[at + 1] === 10 && buffer[at + 2] === 13 && buffer[at + 3] === 10) return at + 4;
  }
  return -1;
}
