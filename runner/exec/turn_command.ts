/**
 * The codex command of one run, out of the request, the settings and the thread.
 *
 * @module
 */
import { codexArgs, hostToolsConfig } from "./argv.ts";
import type { CodexBinary } from "../codex/codex_binary.ts";
import type { CodexCommand } from "./codex_process.ts";
import { imageFiles } from "../images.ts";
import { instructionsFor } from "../instructions.ts";
import { composePrompt } from "../prompt.ts";
import type { Thread } from "../thread.ts";
import type { TurnDirectory } from "../process/turn_directory.ts";
import type { TurnRequest, TurnSettings } from "../turn_request.ts";
import { userServerConfig } from "../codex/user_mcp_servers.ts";
import type { HostToolsAccess } from "../transport.ts";
import type { Variables } from "../../base/variables.ts";

/** What a command is made of. */
export interface CommandParts {
  request: TurnRequest;
  settings: TurnSettings;
  codex: Pick<CodexBinary, "path" | "capabilities">;
  /** Its environment, without what belongs to a single run. */
  environment: Variables;
  /** The thread to resume. */
  thread: Thread | undefined;
  /** The thread is gone, and the conversation so far goes into the prompt. */
  retell: boolean;
  /** How codex reaches the host's tools. */
  hostTools: HostToolsAccess | undefined;
}

/**
 * Puts the command together; its temporary files go into `directory`.
 * @throws {TurnError} `invalid_request` for a prompt or an image that codex would not take.
 */
export async function turnCommand(
  { request, settings, codex, environment, thread, retell, hostTools }: CommandParts,
  directory: TurnDirectory,
  signal?: AbortSignal,
): Promise<CodexCommand> {
  const { workspace, model, text, images, outputSchema, history } = request;
  const { argument, inPrompt } = instructionsFor(request.system, thread);
  const userServers = settings.userMcpServers === "disable"
    ? await userServerConfig(codex.path, environment, workspace, signal)
    : [];
  return {
    path: codex.path,
    args: codexArgs({
      workspace,
      threadId: thread?.threadId,
      model,
      sandbox: settings.sandbox,
      writableRoots: settings.writableRoots,
      networkAccess: settings.networkAccess,
      extraArgs: settings.extraArgs,
      images: imageFiles(images, workspace, directory),
      outputSchema: outputSchema &&
        directory.write("output-schema.json", JSON.stringify(outputSchema)),
      developerInstructions: argument,
      projectTrust: projectTrust(settings.trustWorkspace, codex.capabilities),
      config: [
        ...(codex.capabilities.shellSnapshots ? ["features.shell_snapshot=false"] : []),
        ...userServers,
        ...(hostTools ? hostToolsConfig(hostTools) : []),
      ],
    }),
    env: { ...environment, ...hostTools?.env },
    cwd: workspace,
    prompt: composePrompt({ text, instructions: inPrompt, history: retell ? history : [] }),
    mark: directory.mark,
  };
}

/** Later versions trust nothing unasked, and need no word against it. */
function projectTrust(
  trusted: boolean,
  { trustsUnasked }: CodexBinary["capabilities"],
): "trusted" | "untrusted" | undefined {
  if (trusted) return "trusted";
  return trustsUnasked ? "untrusted" : undefined;
}
