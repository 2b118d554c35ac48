import { strict as assert } from "node:assert";
import fc from "fast-check";
import {
  ANSWER_MAX_BYTES,
  decodeAnswer,
  decodeHello,
  encodeAnswer,
  encodeHello,
  LINK_VERSION,
} from "../../../mcp_host/listener/hello.ts";

const line = (bytes: Uint8Array) => {
  assert.equal(bytes.indexOf(10), bytes.length - 1, "one line, newline at its end");
  return bytes.subarray(0, -1);
};

Deno.test("hello reads back as it was said", () => {
  const short = fc.string({ unit: "binary", maxLength: 100 });
  fc.assert(fc.property(short, short, (agentId, token) => {
    assert.deepEqual(decodeHello(line(encodeHello(agentId, token, 7))), {
      version: LINK_VERSION,
      agentId,
      token,
      pid: 7,
    });
  }));
});

Deno.test("hello that is too long is refused before it is said", () => {
  assert.throws(() => encodeHello("x".repeat(5000), "t", 7), /the limit is 4096/);
});

Deno.test("hello decoder takes any bytes", () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => {
    assert.equal(decodeHello(bytes), undefined);
  }));
  for (const text of ["null", "[]", "{}", '{"plexum_mcp":2}', '{"plexum_mcp":2,"agent_id":1}']) {
    assert.equal(decodeHello(new TextEncoder().encode(text)), undefined, text);
  }
});

Deno.test("answer reads back as it was said, a long reason cut", () => {
  for (const proof of [undefined, "/run/x/proof-1"]) {
    const admitted = { admitted: true as const, proof };
    assert.deepEqual(decodeAnswer(line(encodeAnswer(admitted))), admitted);
  }
  const refused = { admitted: false as const, reason: 'a "b"\n' };
  assert.deepEqual(decodeAnswer(line(encodeAnswer(refused))), refused);
  const long = encodeAnswer({ admitted: false, reason: "\0".repeat(10_000) });
  assert.ok(long.length <= ANSWER_MAX_BYTES, `${long.length}`);
});
