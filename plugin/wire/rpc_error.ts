/** A failure that travels as a JSON-RPC error object. */
export class RpcError extends Error {
  override name = "RpcError";
  /** @param data For a code of -32000, an error body of the protocol. */
  constructor(readonly code: number, message: string, readonly data?: unknown) {
    super(message);
  }
}
