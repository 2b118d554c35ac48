/**
 * The acts of the demo, in their order. Each one plays a turn or two on the stage and throws when it
 * did not show what it promised.
 */
import { ASKS_THE_HOST, LOOKS_AROUND, LOOKS_BACK, REMEMBERS, WRITES_SLOWLY } from "./model.ts";
import { METHOD } from "../../plugin/protocol.ts";
import type { Turn } from "../../tests/support/turn.ts";
import { say, type Stage } from "./stage.ts";
import * as transcript from "./transcript.ts";

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
