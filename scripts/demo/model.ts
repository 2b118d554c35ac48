/**
 * What the scripted model says in the demo. Nothing is put into its mouth: it answers from the
 * request that codex sent, so when it remembers, codex's thread remembered, and when it has
 * forgotten a tool's output, that output is really gone from the session.
 */
import { callOutput, type ModelRequest, userTexts } from "../../tests/support/model/request.ts";
import type { ScriptedStep, Step } from "../../tests/support/model/step.ts";

/** The call id of the look into the workspace. */
const LOOK = "call_look";
/** The call id of the question to the host's tide table. */
const TIDE = "call_tide";

/** Looks into the workspace, then says what it saw and what it was told. */
export const LOOKS_AROUND: ScriptedStep[] = [
  {
    items: [
      { type: "reasoning", summary: "**Looking around** before I answer." },
      { type: "message", text: "Let me look at the workspace first.", phase: "commentary" },
      {
        type: "function_call",
        name: "exec_command",
        args: { cmd: "ls -1; head -n 3 log.txt" },
        call_id: LOOK,
      },
    ],
    usage: { input_tokens: 812, output_tokens: 61, reasoning_tokens: 24 },
  },
  (request) => ({
    text: `The workspace holds ${filesSeen(request)}, and I will remember ${placeTold(request)}.`,
    usage: { input_tokens: 968, cached_tokens: 768, output_tokens: 33 },
  }),
];

/** Says what it still knows. */
export const REMEMBERS: ScriptedStep[] = [
  (request) => ({
    text: `You keep the lighthouse at ${placeTold(request)}. ` +
      `When I looked, the workspace held ${filesSeen(request)}.`,
    usage: { input_tokens: 1046, cached_tokens: 896, output_tokens: 29 },
  }),
];

/** Asks the host's own tool, by the name under which codex offers it. */
export const ASKS_THE_HOST: ScriptedStep[] = [
  callTide,
  (request) => ({
    text: `The host's tide table says: ${
      /High water[^"\\]*/.exec(callOutput(request, TIDE) ?? "")?.[0]
    }`,
    usage: { input_tokens: 1190, cached_tokens: 1024, output_tokens: 21 },
  }),
];

/** Says what is left of the outputs it once saw. */
export const LOOKS_BACK: ScriptedStep[] = [
  (request) => ({
    text: `Of the listing I now see: ${JSON.stringify(callOutput(request, LOOK))}. ` +
      `The lighthouse is still at ${placeTold(request)}.`,
    usage: { input_tokens: 902, cached_tokens: 640, output_tokens: 27 },
  }),
];

/** Writes a few words at a time, as real models do. */
export const WRITES_SLOWLY: ScriptedStep[] = [
  (request) => ({
    text: `Fog came to ${placeTold(request)} at ten past four, and the horn answered it. ` +
      "By half past five the light had the sea to itself again.",
    chunk: 30,
    chunkDelayMs: 150,
    usage: { input_tokens: 1210, cached_tokens: 1024, output_tokens: 36 },
  }),
];

/** For a question that no act has asked. */
export function speechless(request: ModelRequest): Step {
  const last = userTexts(request).at(-1) ?? "";
  throw new Error(`the demo's model was asked more than its script holds: ${last.slice(0, 200)}`);
}

function callTide(request: ModelRequest): Step {
  const offered = request.tools?.find((tool) => tool.name?.startsWith("mcp__"));
  const inner: { name: string }[] = Array.isArray(offered?.["tools"]) ? offered["tools"] : [];
  const name = inner.find((tool) => tool.name.includes("tide"))?.name;
  if (!offered?.name || !name) return { text: "I was not offered any tide table." };
  const args = { place: placeTold(request) };
  return {
    items: [{ type: "function_call", namespace: offered.name, name, args, call_id: TIDE }],
    usage: { input_tokens: 1102, cached_tokens: 896, output_tokens: 38 },
  };
}

/** The place that the user named, wherever in the thread that was. */
function placeTold(request: ModelRequest): string {
  const told = userTexts(request).map((text) =>
    /lighthouse at ([A-Z]\w+ [A-Z]\w+)/.exec(text)?.[1]
  );
  return told.find((place) => place !== undefined) ?? "nothing: I was never told";
}

/** The files in the listing that is recorded in the thread. */
function filesSeen(request: ModelRequest): string {
  const files = callOutput(request, LOOK)?.match(/\b\w+\.(?:txt|md)\b/g);
  return files ? [...new Set(files)].join(" and ") : "nothing that I can see any more";
}
