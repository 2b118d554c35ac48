/**
 * JSON-RPC 2.0, line by line: the examples of the specification (section 7), and the corners that it
 * leaves to common sense, with the answer that is due. Where the plugin is more patient than the
 * specification asks (a missing `"jsonrpc"`), the row says so.
 */

/** What comes back: nothing, a result, or an error with its code and id. */
export type Answer = undefined | { id: unknown; result: unknown } | { id: unknown; code: number };
/** What a line is, its bytes without the newline, and what comes back. */
export type Row = [name: string, line: string | Uint8Array, answer: Answer];

const request = (id: string, method: string, rest = "") =>
  `{"jsonrpc":"2.0","method":"${method}","id":${id}${rest}}`;
const nothing = undefined;
const pong = (id: unknown): Answer => ({ id, result: {} });
const refused = (code: number, id: unknown = null): Answer => ({ id, code });
const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
const deep = nested(100_000);
const bytes = (...values: number[]) => new Uint8Array(values);

/** Section 7 of the specification, as far as a server without batches has it. */
const SPECIFICATION: Row[] = [
  ["notification", '{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}', nothing],
  ["notification without params", '{"jsonrpc": "2.0", "method": "foobar"}', nothing],
  ["unknown method", '{"jsonrpc": "2.0", "method": "foobar", "id": "1"}', refused(-32601, "1")],
  [
    "invalid JSON",
    '{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]',
    refused(-32700),
  ],
  ["method that is a number", '{"jsonrpc": "2.0", "method": 1, "params": "bar"}', refused(-32600)],
  [
    "batch of invalid JSON",
    '[{"jsonrpc":"2.0","method":"sum","params":[1],"id":"1"},{"jsonrpc":"2.0","method"]',
    refused(-32700),
  ],
  ["empty array", "[]", refused(-32600)],
  ["array that is no batch", "[1,2,3]", refused(-32600)],
  // MCP has had no batches since 2025-06-18.
  ["batch", `[${request("1", "ping")},${request("2", "ping")}]`, refused(-32600)],
];

/** Ids come back as they were, or not at all. */
const IDS: Row[] = [
  ["id that is text", request('"a"', "ping"), pong("a")],
  ["id that is empty text", request('""', "ping"), pong("")],
  ["id that looks like a number", request('"1"', "ping"), pong("1")],
  ["id 0", request("0", "ping"), pong(0)],
  ["id below 0", request("-7", "ping"), pong(-7)],
  ["id with a fraction", request("1.5", "ping"), pong(1.5)],
  ["id used before", request("0", "ping"), pong(0)],
  ["largest exact id", request("9007199254740991", "ping"), pong(9007199254740991)],
  ["id that would be rounded", request("9007199254740993", "ping"), refused(-32600)],
  ["id null", request("null", "ping"), refused(-32600)],
  ["id true", request("true", "ping"), refused(-32600)],
  ["id that is an object", request("{}", "ping"), refused(-32600)],
  ["id that is half a character", request('"\\ud800"', "ping"), pong("\ud800")],
  ["id with a line separator", request('"\u2028"', "ping"), pong("\u2028")],
];

/** What is a line, and what is JSON. */
const FRAMES: Row[] = [
  ["blank line", "", nothing],
  ["line of spaces", " \t \r", nothing],
  ["carriage return at the end", request("1", "ping") + "\r", pong(1)],
  ["spaces around", `  ${request("1", "ping")}  `, pong(1)],
  ["byte order mark", "\ufeff" + request("1", "ping"), pong(1)],
  ["escaped method", '{"jsonrpc":"2.0","method":"p\\u0069ng","id":1}', pong(1)],
  ["key twice", '{"jsonrpc":"2.0","method":"no","method":"ping","id":1}', pong(1)],
  ["unknown members", request("1", "ping", ',"extra":{"a":[]},"meta":null'), pong(1)],
  ["no jsonrpc member (patience)", '{"method":"ping","id":1}', pong(1)],
  ["jsonrpc 1.0 (patience)", '{"jsonrpc":"1.0","method":"ping","id":1}', pong(1)],
  ["text", '"ping"', refused(-32600)],
  ["number", "5", refused(-32600)],
  ["null", "null", refused(-32600)],
  ["empty object", "{}", refused(-32600)],
  ["object with only an id", '{"jsonrpc":"2.0","id":3}', refused(-32600, 3)],
  ["two objects in a line", request("1", "ping") + request("2", "ping"), refused(-32700)],
  ["comment", '{"jsonrpc":"2.0",/*hi*/"method":"ping","id":1}', refused(-32700)],
  ["NaN", request("NaN", "ping"), refused(-32700)],
  ["NUL", bytes(0), refused(-32700)],
  ["bytes that are no UTF-8", bytes(0x22, 0xff, 0xfe, 0x22), refused(-32700)],
  ["half a character at the end", bytes(0x22, 0xe2, 0x80), refused(-32700)],
  ["very deep array", deep, refused(-32600)],
];

/** What is asked, and with what. */
const METHODS: Row[] = [
  ["params that are a list", request("1", "ping", ',"params":[]'), pong(1)],
  ["params null", request("1", "ping", ',"params":null'), pong(1)],
  ["params of the wrong shape", request("1", "plexum/provider/stream"), refused(-32602, 1)],
  [
    "params that are a list where an object is due",
    request("1", "plexum/session/mutate", ',"params":["a"]'),
    refused(-32602, 1),
  ],
  [
    "params as deep as may be",
    request("1", "logging/setLevel", `,"params":{"level":"info","a":${nested(999)}}`),
    { id: 1, result: {} },
  ],
  [
    "very deep params",
    request("1", "plexum/session/mutate", `,"params":${deep}`),
    refused(-32602, 1),
  ],
  [
    "params that are very deep where nobody looks",
    request("1", "plexum/session/mutate", `,"params":{"_meta":{"a":${deep}}}`),
    refused(-32602, 1),
  ],
  ["very deep params of nobody", request("1", "no", `,"params":${deep}`), refused(-32601, 1)],
  ["reserved method", request("1", "rpc.discover"), refused(-32601, 1)],
  ["empty method", request("1", ""), refused(-32601, 1)],
  ["method __proto__", request("1", "__proto__"), refused(-32601, 1)],
  ["method constructor", request("1", "constructor"), refused(-32601, 1)],
  ["notification asked as a request", request("1", "notifications/cancelled"), refused(-32601, 1)],
  ["request told as a notification", '{"jsonrpc":"2.0","method":"ping"}', nothing],
  ["member __proto__", request("1", "ping", ',"__proto__":{"method":"no"}'), pong(1)],
  ["answer to nothing", '{"jsonrpc":"2.0","id":77,"result":{}}', nothing],
  ["error that answers nothing", '{"jsonrpc":"2.0","id":null,"error":{"code":1}}', nothing],
  ["error of no shape", '{"jsonrpc":"2.0","id":1,"error":"oops"}', nothing],
  [
    "cancel of what does not run",
    '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}',
    nothing,
  ],
  [
    "cancel without params",
    '{"jsonrpc":"2.0","method":"notifications/cancelled"}',
    nothing,
  ],
];

/** Every row, in the order in which they are sent on one connection. */
export const ROWS: readonly Row[] = [...SPECIFICATION, ...IDS, ...FRAMES, ...METHODS];
