/**
 * What codex is asked, out of the host's conversation. Pure.
 *
 * @module
 */
import type { ImageInput } from "../runner/prompt/images.ts";
import type { PastMessage } from "../runner/prompt/prompt.ts";
import type { ContentBlock, Message } from "./protocol.ts";

/** What codex is given of a conversation. */
export interface Asked {
  /** The text blocks of the last user message; empty when there is none. */
  text: string;
  images: ImageInput[];
  /** Everything before it that has text. */
  history: PastMessage[];
}

/** The last user message and what went before it. */
export function askedOf(messages: readonly Message[]): Asked {
  const last = messages.findLastIndex(({ role }) => role === "user");
  const message = messages[last];
  if (message === undefined) return { text: "", images: [], history: [] };
  const history = messages.slice(0, last)
    .map(({ role, content }) => ({ role, text: textOf(content) }))
    .filter(({ text }) => text !== "");
  const images = blocksOf(message.content).flatMap(imagesOf);
  return { text: textOf(message.content), images, history };
}

function textOf(content: Message["content"]): string {
  if (typeof content === "string") return content;
  return blocksOf(content).flatMap((block) => block.type === "text" ? [block.text] : []).join("\n");
}

function blocksOf(content: Message["content"]): ContentBlock[] {
  return typeof content === "string" ? [] : content ?? [];
}

function imagesOf(block: ContentBlock, at: number): ImageInput[] {
  if (block.type !== "image") return [];
  // An empty text is a source that was not given: Go writes it so.
  return [{
    block: at,
    url: block.url || undefined,
    path: block.path || undefined,
    dataBase64: block.data_base64 || undefined,
  }];
}
