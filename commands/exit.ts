/** How commands end when something is wrong: 2 and words for a usage error, 1 and a stack for a fault of ours. */

import { UsageError } from "../core/errors.ts";

/** Prints an error on stderr and ends the process. */
export function exitWithError(error: unknown): never {
  const worded = error instanceof UsageError || error instanceof SyntaxError || error instanceof RangeError ||
    error instanceof TypeError;
  // A worded error is for the person at the terminal; the stack of any other is for whoever mends it.
  if (worded && /\n {2}fix: /.test((error as Error).message)) {
    console.error(`error: ${printable((error as Error).message)}`);
    Deno.exit(2);
  }
  console.error(error);
  Deno.exit(1);
}

/** Text from files and paths without the control characters that would steer a terminal. */
export function printable(text: string): string {
  return text.replace(
    /(?!\n)\p{Cc}/gu,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
