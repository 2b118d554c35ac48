/**
 * As much of an MCP client as it takes to see that the relay works: handshake, one call.
 *
 * @module
 */
import * as z from "zod/mini";
import { LineSplitter } from "../../../base/lines.ts";

const Answer = z.looseObject({
  id: z.optional(z.unknown()),
  result: z.optional(z.looseObject({
    content: z.optional(z.array(z.looseObject({ text: z.optional(z.string()) }))),
  })),
});

const TIMEOUT_MS = 15_000;
const MAX_LINE = 1024 * 1024;

/**
 * Starts the relay as codex would and calls the tool `ping`.
 * @returns The text of the tool's answer.
 * @throws {Error} with what the relay said on stderr where it does not answer.
 */
export async function askRelay(
  [command = "", ...args]: readonly string[],
  env: Record<string, string>,
): Promise<string> {
  const child = new Deno.Command(command, {
    args,
    env,
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).spawn();
  const said = new Response(child.stderr).text();
  const writer = child.stdin.getWriter();
  let answer: string | undefined;
  try {
    const lines = conversation().map((message) => JSON.stringify({ jsonrpc: "2.0", ...message }));
    await writer.write(new TextEncoder().encode(lines.join("\n") + "\n"));
    answer = await answerTo(3, child.stdout);
  } catch {
    // It ended before it took or answered anything; stderr says why.
  } finally {
    await writer.close().catch(() => {});
  }
  const { code, signal } = await child.status;
  const stderr = (await said).trim();
  if (answer !== undefined) return answer;
  throw new Error(`the relay ended (${signal ?? `exit ${code}`}) without an answer: ${stderr}`);
}

function conversation(): Record<string, unknown>[] {
  const clientInfo = { name: "doctor", version: "1" };
  return [
    {
      id: 1,
      method: "initialize",
      params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo },
    },
    { method: "notifications/initialized" },
    { id: 2, method: "tools/list" },
    { id: 3, method: "tools/call", params: { name: "ping", arguments: {} } },
  ];
}

async function answerTo(
  id: number,
  stdout: ReadableStream<Uint8Array>,
): Promise<string | undefined> {
  const splitter = new LineSplitter(MAX_LINE);
  for await (const chunk of stdout) {
    for (const line of splitter.push(chunk)) {
      if (line.overlong !== undefined) continue;
      const text = new TextDecoder().decode(line.bytes);
      const message = z.parse(Answer, JSON.parse(text));
      if (message.id === id) return message.result?.content?.[0]?.text ?? text;
    }
  }
  return undefined;
}
