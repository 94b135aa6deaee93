/** How commands end when something is wrong: 2 and words for a usage error, 1 and a stack for a fault of ours. */

import { UsageError } from "../core/errors.ts";

/** Whether an error says what, where and how to fix it. */
export function isWorded(error: unknown): error is Error {
  const kinds = [UsageError, SyntaxError, RangeError, TypeError];
  return kinds.some((kind) => error instanceof kind) && /\n {2}fix: /.test((error as Error).message);
}

/** Prints an error on stderr and ends the process. */
export function exitWithError(error: unknown): never {
  // A worded error is for the person at the terminal; the stack of any other is for whoever mends it.
  if (isWorded(error)) {
    console.error(`error: ${printable(error.message)}`);
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
