/** Somebody who connects to a bridge's socket without being a relay. */

/** A raw connection to the bridge. */
export class Stranger implements Disposable {
  readonly conn: Deno.Conn;
  #open = true;

  constructor(conn: Deno.Conn) {
    this.conn = conn;
  }

  static async connect(socket: string): Promise<Stranger> {
    return new Stranger(await Deno.connect({ transport: "unix", path: socket }));
  }

  async say(text: string | Uint8Array): Promise<void> {
    const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
    for (let at = 0; at < bytes.length;) at += await this.conn.write(bytes.subarray(at));
  }

  /** Everything the bridge says until it closes. */
  async heard(): Promise<string> {
    let text = "";
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(4096);
    try {
      for (let read = await this.conn.read(buffer); read !== null;) {
        text += decoder.decode(buffer.subarray(0, read), { stream: true });
        read = await this.conn.read(buffer);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
    return text;
  }

  /** The next bytes the bridge says. */
  async next(): Promise<string> {
    const buffer = new Uint8Array(65536);
    const read = await this.conn.read(buffer);
    return read === null ? "" : new TextDecoder().decode(buffer.subarray(0, read));
  }

  close(): void {
    if (this.#open) this.conn.close();
    this.#open = false;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** The hello of a bridge's own relay. */
export function helloFor(env: Record<string, string>, over: Record<string, unknown> = {}): string {
  const hello = { plexum_mcp: 2, agent_id: env.PLEXUM_MCP_AGENT_ID, token: env.PLEXUM_MCP_TOKEN };
  return JSON.stringify({ ...hello, ...over }) + "\n";
}
