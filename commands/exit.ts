/** How commands end when something is wrong: 2 and words for a usage error, 1 and words for a full disk or a device that fails, 1 and a stack for a fault of ours. */

import { DeviceError, StorageError, UsageError } from "../core/errors.ts";

/** Whether an error says what, where and how to fix it. */
export function isWorded(error: unknown): error is Error {
  const kinds = [UsageError, StorageError, DeviceError, SyntaxError, RangeError, TypeError];
  return kinds.some((kind) => error instanceof kind) && /\n {2}fix: /.test((error as Error).message);
}

/** Prints an error on stderr and ends the process. */
export function exitWithError(error: unknown): never {
  // A worded error is for the person at the terminal; the stack of any other is for whoever mends it.
  if (isWorded(error)) {
    console.error(`error: ${printable(error.message)}`);
    Deno.exit(error instanceof StorageError || error instanceof DeviceError ? 1 : 2);
  }
  console.error(error);
  Deno.exit(1);
}

/**
 * Text from files and paths with control characters made visible, and those that turn the direction of writing: they
 * would steer a terminal. Line breaks stay; {@linkcode oneLine} takes them, too.
 */
export function printable(text: string): string {
  return text.replace(/(?!\n)[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu, visible);
}

/** {@linkcode printable} text on one line: a name from a file cannot look like a line of ours. */
export function oneLine(text: string): string {
  return printable(text).replaceAll("\n", visible);
}

function visible(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
