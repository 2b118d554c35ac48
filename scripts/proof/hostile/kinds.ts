/** The kinds of turns that are cancelled. */
import type { ScriptedStep } from "../../../tests/support/model/step.ts";
import {
  MIDDLE_CODEX,
  NEWEST_CODEX,
  OLDEST_CODEX,
  STAYING_CODEX,
} from "../../../tests/support/codex.ts";
import {
  type Act,
  began,
  type FakeChild,
  said,
  type Scenario,
} from "../../../tests/support/fake_codex.ts";

/** Either a real codex with a model that plays `steps`, or a fake one. */
export interface HostileKind {
  name: string;
  /** Of a real codex. */
  version?: string;
  /** It stays between turns: one process may be left, with the mark it has then. */
  stays?: boolean;
  /** What the model does in the turn that is cancelled; `id` is a number that occurs nowhere else. */
  steps?(id: number): ScriptedStep[];
  scenario?(id: number, dice: () => number): Scenario;
  /** The grace that such a codex is given. */
  graceMs: number;
}

const ESCAPES = ["group", "session", "orphan"] as const;

function children(id: number, dice: () => number): Act[] {
  return Array.from({ length: 1 + Math.floor(dice() * 4) }, (_, n): Act => {
    const escape = ESCAPES[Math.floor(dice() * ESCAPES.length)] ?? "group";
    const child: FakeChild = { name: `${id}-${n}`, escape };
    if (dice() < 0.5) child.ignore = ["SIGINT", "SIGTERM", "SIGHUP"];
    if (dice() < 0.5) child.clean = Deno.build.os === "linux" || escape !== "orphan";
    if (dice() < 0.3) child.holdStdout = true;
    return { child };
  });
}

function fake(deaf: boolean): HostileKind {
  const busy = (id: number): Act[] => [{ mark: `busy-${id}` }, { hang: true }];
  return {
    name: deaf ? "fake codex, deaf to SIGINT" : "fake codex, cooperative",
    graceMs: deaf ? 300 : 3_000,
    scenario: (id, dice) => ({
      ...(deaf ? { onInterrupt: "ignore", ignoreTerm: true } : {}),
      acts: [
        ...[began(), { print: { type: "turn.started" } }, said("working")],
        ...[...children(id, dice), ...busy(id)],
      ],
    }),
  };
}

const shell = (cmd: string): ScriptedStep => ({
  items: [
    { type: "message", text: "working", phase: "commentary" },
    { type: "function_call", name: "exec_command", args: { cmd, yield_time_ms: 60_000 } },
  ],
});

function real(version: string, stays: boolean): HostileKind[] {
  const kind = (what: string, steps: (id: number) => ScriptedStep[]): HostileKind => ({
    name: `codex ${version}${stays ? " that stays" : ""}, ${what}`,
    ...{ version, stays, steps, graceMs: 3_000 },
  });
  return [
    kind("thinking", () => [{ hang: true }]),
    kind("talking", () => [{ text: "word ".repeat(2000), chunkDelayMs: 10 }]),
    kind("command", (id) => [shell(`sleep ${id}`)]),
    kind("daemons", (id) => [
      shell(
        `trap '' INT TERM HUP; setsid sleep ${id} & (setsid env -i /bin/sh -c 'cd /; sleep ${id}' &) ; ` +
          `nohup sleep ${id} >/dev/null 2>&1 & sleep ${id}`,
      ),
    ]),
  ];
}

/** Those of a codex that stays between turns; else of a codex per turn, as many fake ones as real ones. */
export function hostileKinds(stays: boolean): HostileKind[] {
  if (stays) return STAYING_CODEX.flatMap((version) => real(version, true));
  const found = [OLDEST_CODEX, MIDDLE_CODEX, NEWEST_CODEX].flatMap((one) => real(one, false));
  return [...found, ...found.map((_, n) => fake(n % 2 === 0))];
}
