/**
 * Started without arguments: a host serves through pipes; a person at a terminal gets an explanation.
 *
 * @module
 */
import { errorMessage } from "../../../base/error_message.ts";
import { EXECUTABLE_NAME, self } from "../../self.ts";
import { serve } from "../../serve.ts";
import { EXIT } from "./command.ts";
import { complain } from "./terminal.ts";

const EXPLANATION = `${EXECUTABLE_NAME} is a Plexum plugin: the Plexum host starts it and speaks
JSON-RPC to it over stdin and stdout. There is nothing to type here.

  ${EXECUTABLE_NAME} --help    what else it can do`;

/** Serves the host on stdin, or explains itself to a terminal. */
export async function serveOrExplain(): Promise<number> {
  if (Deno.stdin.isTerminal()) {
    complain(EXPLANATION);
    return EXIT.usage;
  }
  try {
    return await serve(self(Deno.mainModule));
  } catch (error) {
    complain(`${EXECUTABLE_NAME}: ${errorMessage(error)}`); // e.g. no home directory
    return EXIT.failed;
  }
}
