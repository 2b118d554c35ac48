/**
 * Every scenario, in the order of the table.
 */
import { asyncMessage, subAgent } from "./agents.ts";
import { imageKinds, images, outputSchema, reasoning, text } from "./answers.ts";
import { busySession } from "./busy.ts";
import {
  acrossTransports,
  authFailure,
  contextOverflow,
  exactNumbers,
  manyTools,
  quota,
  refusedContent,
  toolSchema,
} from "./edges.ts";
import { codeMode, hostTool } from "./host_tools.ts";
import { renamedProvider, requirements } from "./machine.ts";
import type { Scenario } from "./run.ts";
import {
  cancel,
  compaction,
  compressedSession,
  consumeHeavy,
  consumeLight,
  lostSession,
  resume,
} from "./threads.ts";
import { failingTool, parallelCalls, patch, shell } from "./tools.ts";

/** The rows of the matrix. */
export const SCENARIOS: readonly Scenario[] = [
  ...[text, reasoning, shell, patch, hostTool, codeMode, images, outputSchema],
  ...[parallelCalls, failingTool, cancel, resume, lostSession],
  ...[authFailure, quota, contextOverflow, compaction],
  ...[consumeLight, consumeHeavy, busySession],
  ...[manyTools, toolSchema, exactNumbers, imageKinds, refusedContent, acrossTransports],
  ...[compressedSession, subAgent, asyncMessage, requirements, renamedProvider],
];
