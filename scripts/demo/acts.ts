/**
 * The acts of the demo, in their order, each of which plays a turn or two on the stage and throws when it
 * did not show what it promised; and what the scripted model says in them. Nothing is put into its mouth:
 * it answers from the request that codex sent, so when it remembers, codex's thread remembered, and when
 * it has forgotten a tool's output, that output is really gone from the session.
 */
import * as transcript from "./transcript.ts";
import { METHOD } from "../../plugin/protocol.ts";
import { marksByLimit } from "../../runner/process/turn_mark.ts";
import type { Turn } from "../../tests/support/turn.ts";
import { say, type Stage } from "./stage.ts";
import { callOutput, type ModelRequest, userTexts } from "../../tests/support/model/request.ts";
import type { ScriptedStep, Step } from "../../tests/support/model/step.ts";

/** The call id of the look into the workspace. */
const LOOK = "call_look";
/** The call id of the question to the host's tide table. */
const TIDE = "call_tide";

/** Looks into the workspace, then says what it saw and what it was told. */
const LOOKS_AROUND: ScriptedStep[] = [
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
const REMEMBERS: ScriptedStep[] = [
  (request) => ({
    text: `You keep the lighthouse at ${placeTold(request)}. ` +
      `When I looked, the workspace held ${filesSeen(request)}.`,
    usage: { input_tokens: 1046, cached_tokens: 896, output_tokens: 29 },
  }),
];

/** Asks the host's own tool, by the name under which codex offers it. */
const ASKS_THE_HOST: ScriptedStep[] = [
  callTide,
  (request) => ({
    text: `The host's tide table says: ${
      /High water[^"\\]*/.exec(callOutput(request, TIDE) ?? "")?.[0]
    }`,
    usage: { input_tokens: 1190, cached_tokens: 1024, output_tokens: 21 },
  }),
];

/** Says what is left of the outputs it once saw. */
const LOOKS_BACK: ScriptedStep[] = [
  (request) => ({
    text: `Of the listing I now see: ${JSON.stringify(callOutput(request, LOOK))}. ` +
      `The lighthouse is still at ${placeTold(request)}.`,
    usage: { input_tokens: 902, cached_tokens: 640, output_tokens: 27 },
  }),
];

/** Writes a few words at a time, as real models do. */
const WRITES_SLOWLY: ScriptedStep[] = [
  (request) => ({
    text: `Fog came to ${placeTold(request)} at ten past four, and the horn answered it. ` +
      "By half past five the light had the sea to itself again.",
    chunk: 30,
    chunkDelayMs: 150,
    usage: { input_tokens: 1210, cached_tokens: 1024, output_tokens: 36 },
  }),
];

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

/** What earlier acts left for later ones. */
export interface Story {
  thread?: string;
  /** The call ids of every tool output so far, oldest first. */
  calls: string[];
}

/** One act. `feature`: what the plugin must have named in `initialize`. */
export interface Act {
  title: string;
  feature: string;
  play(stage: Stage, story: Story): Promise<void>;
}

const PLACE = "Petrel Point";
const TIDE_TABLE = "High water at 06:42, 4.1 m; low water at 12:55, 0.8 m";

/** The programme. */
export const ACTS: Act[] = [
  {
    title: "A first turn: codex thinks, runs a command and answers",
    feature: "stream",
    async play({ lab }, story) {
      const said = `I keep the lighthouse at ${PLACE}. What lies in this workspace?`;
      const { turn, end } = await say(lab, said, LOOKS_AROUND);
      remember(story, turn);
      story.thread = end.thread_id;
      expect(/log\.txt/.test(turn.text), "the answer names log.txt", turn.text);
    },
  },
  {
    title: "A second turn: the same thread, resumed, remembers",
    feature: "stream",
    async play({ lab }, story) {
      const asked = "Where is my lighthouse, and what did you see?";
      const { turn, end } = await say(lab, asked, REMEMBERS);
      expect(end.thread_id === story.thread, "the thread is the same", end.thread_id);
      expect(turn.of("message_start")[0]?.resumed === true, "the thread was resumed", turn.text);
      expect(turn.text.includes(PLACE), `the answer knows ${PLACE}`, turn.text);
    },
  },
  {
    title: "A third turn: codex calls a tool of the host",
    feature: "host_tools",
    async play({ lab }, story) {
      let asked = 0;
      lab.host.onRequest(METHOD.hostToolCall, (params) => {
        asked += 1;
        transcript.host(`runs ${params["name"]} ${JSON.stringify(params["arguments"])}`);
        return { content: [{ type: "text", text: TIDE_TABLE }] };
      });
      const place = { type: "object", properties: { place: { type: "string" } } };
      const description = "Times and heights of today's tides at a place.";
      const tools = [{ name: "tide.table", description, inputSchema: place }];
      const said = "Ask the tide table for today's high water at my lighthouse.";
      const { turn } = await say(lab, said, ASKS_THE_HOST, tools);
      remember(story, turn);
      expect(asked > 0, "the host's tool was called", turn.text);
      expect(turn.text.includes("06:42"), "the answer has the tide from the host", turn.text);
    },
  },
  {
    title: "Consume: an old tool output is let go, the thread lives on",
    feature: "session_mutate",
    async play({ lab, scripted }, story) {
      const ids = story.calls.slice(0, 1);
      transcript.host(`lets go of the output of ${ids}`);
      const result = await lab.mutate("consume-heavy", ...ids);
      transcript.host(`the plugin answers ${JSON.stringify(result)}`);
      const { turn } = await say(lab, "What is left of what you saw?", LOOKS_BACK);
      if (!scripted) return;
      expect(turn.text.includes("...(tool called)"), "the output is gone", turn.text);
      expect(turn.text.includes(PLACE), "all else is still there", turn.text);
    },
  },
  {
    title: "A codex that stays: text as the model writes it, and a turn without a start",
    feature: "text_deltas",
    async play({ lab, scripted }) {
      if (!marksByLimit()) {
        transcript.host("codex does not stay on this machine: there is no prlimit");
        return;
      }
      await lab.sandbox.configure({ transport: "app-server" });
      const first = await say(lab, "Describe my lighthouse's night, slowly.", WRITES_SLOWLY);
      const second = await say(lab, "Once more, please.", WRITES_SLOWLY);
      const [start, warm] = [first, second].map(({ startMs }) => Math.round(startMs));
      transcript.host(`codex began after ${start} ms, in the turn after it after ${warm} ms`);
      if (!scripted) return;
      const pieces = second.turn.of("text_delta").length;
      expect(pieces > 1, "the text came in pieces", `${pieces} of them`);
      expect(second.turn.text.includes(PLACE), "the thread is still the same", second.turn.text);
    },
  },
];

function remember(story: Story, turn: Turn): void {
  story.calls.push(...turn.of("tool_result").map((result) => result.id));
}

function expect(condition: boolean, what: string, seen: string): void {
  if (!condition) throw new Error(`expected that ${what}, but saw: ${seen}`);
}
