/**
 * Errors that say what, where, and how to fix it.
 *
 * The built-in class carries the category: `TypeError` for a wrong kind or shape, `RangeError` for a value
 * out of range, `SyntaxError` for an unreadable file.
 */

import { closest, distance } from "fastest-levenshtein";

/** The three things that a person needs to know about a failure. */
export interface Explanation {
  /** What went wrong, with the offending value. */
  readonly what: string;
  /** The file, option or setting that it happened in. */
  readonly where?: string;
  /** What to do about it. */
  readonly fix: string;
}

/** One message of an {@linkcode Explanation}; pass it to the error class that fits. */
export function explain({ what, where, fix }: Explanation): string {
  const lines = [what];
  if (where !== undefined) lines.push(`  where: ${where}`);
  lines.push(`  fix:   ${fix}`);
  return lines.join("\n");
}

/**
 * A mistake in how the program was called or in what it was given, already worded for the reader: the command
 * line prints its message without a stack and exits with 2.
 */
export class UsageError extends Error {
  /** Tells it apart in a stack trace. */
  override readonly name = "UsageError";

  /** The message is made of the explanation; `options.cause` keeps what lay under it. */
  constructor(explanation: Explanation, options?: ErrorOptions) {
    super(explain(explanation), options);
  }
}

/**
 * The machine cannot keep what was made: a full disk, a folder that is gone or may not be written. Already worded; the
 * command line prints its message without a stack and exits with 1, since it is no mistake in how it was called.
 */
export class StorageError extends Error {
  /** Tells it apart in a stack trace. */
  override readonly name = "StorageError";

  /** The file that could not be written, and what lay under it. */
  constructor(path: string, cause: unknown) {
    const fix = "make room, or make the folder writable, and give the same command again: it goes on";
    super(explain({ what: `cannot write a file: ${whyNot(cause)}`, where: path, fix }), { cause });
  }
}

/**
 * A device that computes has failed, and what it would give from now on means nothing. Worded by whoever knows the device; the
 * command line prints its message without a stack and exits with 1, since it is no mistake in how it was called.
 */
export class DeviceError extends Error {
  /** Tells it apart in a stack trace. */
  override readonly name = "DeviceError";

  /** The message is made of the explanation. */
  constructor(explanation: Explanation) {
    super(explain(explanation));
  }
}

/**
 * Why the system refused a path, in words. Of places such as /proc and /dev, Deno asks for all permissions that there are,
 * which nobody should give: there, what a user needs is another place.
 */
export function whyNot(cause: unknown): string {
  const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
  return /^Requires all access to /.test(reason) ? "nothing can be kept there by this program" : reason;
}

/** `did you mean "…"?` where a known name is near, else the list of all names. */
export function suggest(name: string, known: readonly string[]): string {
  if (known.length === 0) return "there is none to choose from";
  const nearest = closest(name, [...known]);
  const limit = Math.max(2, Math.floor(name.length / 3));
  const all = `known: ${known.join(", ")}`;
  return distance(name, nearest) <= limit ? `did you mean "${nearest}"? (${all})` : all;
}
