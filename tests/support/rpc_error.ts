/**
 * A JSON-RPC error: what the plugin answered, or what a handler of the host wants to answer.
 */

/** `data.kind` and the like stay as they came, for the test to look at. */
export class RpcError extends Error {
  override name = "RpcError";
  readonly code: number;
  readonly data: Record<string, unknown>;

  constructor(body: { code?: unknown; message?: unknown; data?: unknown }) {
    super(String(body.message));
    this.code = Number(body.code);
    const { data } = body;
    this.data = typeof data === "object" && data !== null ? { ...data } : {};
  }

  /** Any error as one that can be sent; -32000 unless it says otherwise. */
  static from(error: unknown): RpcError {
    if (error instanceof RpcError) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new RpcError({ code: -32000, message });
  }

  /** The error as it stands in a frame. */
  get body(): { code: number; message: string; data: Record<string, unknown> } {
    return { code: this.code, message: this.message, data: this.data };
  }
}
