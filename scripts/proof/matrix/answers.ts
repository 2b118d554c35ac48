/**
 * Scenarios of what the model says and is shown: text, reasoning, images, a shape for the answer.
 */
import { strict as assert } from "node:assert";
import { join } from "@std/path";
import { decodeBase64 } from "../../../base/picture.ts";
import { PIXEL } from "../../../tests/support/pixel.ts";
import { RpcError } from "../../../tests/support/rpc_error.ts";
import { BIRDS } from "../codex/scenarios.ts";
import type { Scenario } from "./run.ts";

/** An answer in two pieces, with its tokens. */
export const text: Scenario = {
  name: "text",
  promise: "commentary and answer as separate text, tokens of this turn",
  async play(lab) {
    const { turn, end } = await lab.succeed("hello", {
      steps: [{
        items: [
          { type: "message", text: "One moment.", phase: "commentary" },
          { type: "message", text: "Grüße 😀\u2028here", phase: "final_answer" },
        ],
        usage: { input_tokens: 900, cached_tokens: 400, output_tokens: 50, reasoning_tokens: 12 },
      }],
    });
    assert.equal(turn.text, "One moment.\n\nGrüße 😀\u2028here");
    assert.deepEqual(end.usage, {
      input_tokens: 900,
      cached_input_tokens: 400,
      output_tokens: 50,
      reasoning_output_tokens: 12,
    });
  },
};

/** Summaries of what the model thought. */
export const reasoning: Scenario = {
  name: "reasoning",
  promise: "reasoning summaries as thinking, before the text",
  async play(lab) {
    const { turn } = await lab.succeed("think", {
      steps: [{
        items: [
          { type: "reasoning", summary: ["**First**", "**Second**"] },
          { type: "message", text: "thought" },
        ],
      }],
    });
    const thought = turn.of("thinking_delta").map((event) => event.text).join("");
    assert.equal(thought, "**First**\n**Second**");
    assert.equal(turn.text, "thought");
    const types = turn.seen.map(({ type }) => type);
    assert.ok(types.indexOf("thinking_delta") < types.indexOf("text_delta"), turn.story());
  },
};

/** An image of the user's message. */
export const images: Scenario = {
  name: "images",
  promise: "an inline image reaches the model, on a new and on a resumed thread",
  async play(lab) {
    const image = { type: "image", data_base64: PIXEL.png, media_type: "image/png" };
    for (const resumed of [false, true]) {
      const { turn, asked } = await lab.succeed("look", { blocks: [image] });
      assert.equal(turn.of("message_start")[0]?.resumed, resumed);
      const last = asked[0]?.input.findLast(({ role }) => role === "user");
      const content = JSON.stringify(last?.content);
      assert.match(content, /"type":"input_image","image_url":"data:image\/png;base64,/);
      assert.match(content, /look/);
    }
  },
};

/** Pictures that lie in the workspace, in every kind that is taken; and what is none. */
export const imageKinds: Scenario = {
  name: "image-kinds",
  promise: "PNG, JPEG, GIF and WebP reach the model from their paths; a file that is no picture " +
    "is refused by its content block, and codex is not asked",
  async play(lab) {
    const { sandbox } = lab;
    const blocks = Object.entries(PIXEL).map(([kind, base64]) => {
      const path = `a, ${kind} picture`;
      Deno.writeFileSync(join(sandbox.workspace, path), decodeBase64(base64) ?? assert.fail());
      return { type: "image", path, media_type: "image/png" };
    });
    const { asked } = await lab.succeed("look", { blocks });
    const shown = [...JSON.stringify(asked[0]).matchAll(/"image_url":"data:image\/(\w+)/g)];
    assert.equal(shown.length, blocks.length, shown.join(" "));

    Deno.writeTextFileSync(join(sandbox.workspace, "text.png"), "this is no picture");
    const png = { type: "image", data_base64: PIXEL.png };
    const turn = lab.start("look", { blocks: [png, { type: "image", path: "text.png" }] });
    const refused = await turn.result.catch((error: unknown) => error);
    assert.ok(refused instanceof RpcError, turn.story());
    assert.match(refused.message, /^codex: image 2 \(content\[2\]\) is text, not a picture/);
    assert.deepEqual(turn.seen, []);
    assert.equal(sandbox.model.asked.length, 1);
  },
};

/** A JSON Schema for the answer. */
export const outputSchema: Scenario = {
  name: "output-schema",
  promise: "the host's JSON Schema reaches the model, and only with the turn that has one",
  async play(lab) {
    const answer = '{"birds":3}';
    const { turn, asked } = await lab.succeed("count", {
      schema: BIRDS,
      steps: [{ text: answer }],
    });
    assert.equal(turn.text, answer);
    assert.deepEqual(formatOf(asked[0]), BIRDS);
    const next = await lab.succeed("and now freely");
    assert.equal(formatOf(next.asked[0]), undefined);
  },
};

/** The schema that a request binds the model to. */
function formatOf(request: unknown): unknown {
  const { text } = request as { text?: { format?: { schema?: unknown } } };
  return text?.format?.schema;
}
