/**
 * Memory: what processes hold, and what is left for another one. Linux only; elsewhere nothing is known.
 *
 * @module
 */
import { output } from "./process_table.ts";

/** What processes hold, in bytes. */
export interface Memory {
  resident: number;
  /** Of it, what is theirs alone: the program itself is shared by all that run it. */
  own: number;
}

/** The memory of those of `pids` whose program has a name that begins with `command`, put together. */
export async function memoryOf(pids: readonly number[], command: string): Promise<Memory> {
  const memory: Memory = { resident: 0, own: 0 };
  if (pids.length === 0) return memory;
  const text = await contentOf(pids.map((pid) => `/proc/${pid}/status`));
  for (const status of text.split(/^(?=Name:)/m)) {
    const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, "m").exec(status)?.[1];
    if (!field("Name")?.startsWith(command)) continue;
    memory.resident += Number(field("VmRSS") ?? 0) * 1024;
    memory.own += Number(field("RssAnon") ?? 0) * 1024;
  }
  return memory;
}

/** Bytes that the machine, or the container, has left; `undefined` where nobody tells. */
export async function memoryLeft(): Promise<number | undefined> {
  const group = "/sys/fs/cgroup/memory";
  return parseMemoryLeft(await contentOf(["/proc/meminfo", `${group}.max`, `${group}.current`]));
}

/** Reads `/proc/meminfo` and, after it, the limit of a control group and what it uses of that. */
export function parseMemoryLeft(text: string): number | undefined {
  const available = /^MemAvailable:\s+(\d+) kB$/m.exec(text)?.[1];
  const [limit, used] = [...text.matchAll(/^\d+$/gm)].map(Number);
  const left = [
    ...(available === undefined ? [] : [Number(available) * 1024]),
    ...(limit === undefined || used === undefined ? [] : [Math.max(0, limit - used)]),
  ];
  return left.length === 0 ? undefined : Math.min(...left);
}

async function contentOf(paths: string[]): Promise<string> {
  return Deno.build.os === "linux" ? (await output("cat", paths)).text : "";
}
