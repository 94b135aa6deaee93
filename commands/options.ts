/** Options of commands, read in one way and refused in one tone. */

import { parseArgs, type ParseArgsConfig } from "node:util";
import { suggest, UsageError } from "../core/errors.ts";

type Options = NonNullable<ParseArgsConfig["options"]>;

/** What a command was given, by `node:util`'s rules; `task` names the command in errors. */
export type Given<O extends Options> = ReturnType<
  typeof parseArgs<{ args: string[]; options: O; allowPositionals: true; strict: true }>
>;

/**
 * Reads a command's arguments.
 *
 * @throws {UsageError} where an option is unknown, naming the nearest, or lacks its value.
 */
export function parsed<const O extends Options>(task: string, args: string[], options: O): Given<O> {
  try {
    return parseArgs({ args: withNumbers(args), options, allowPositionals: true, strict: true });
  } catch (cause) {
    const { code, message } = cause as Error & { code?: string };
    const option = /'(--?[^' ]+)/.exec(message)?.[1] ?? "";
    if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") {
      const known = Object.keys(options).map((key) => `--${key}`);
      throw new UsageError({ what: `unknown option ${option}`, fix: suggest(option, known) }, { cause });
    }
    const fix = `deno task ${task} --help shows how it is given`;
    throw new UsageError({ what: message.split(/[.\n]/)[0], fix }, { cause });
  }
}

/** Arguments with options joined to their values where these are below 0, e.g. `--camera-offset -100`. */
function withNumbers(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const option = joined.at(-1);
    if (/^-[\d.]/.test(arg) && option !== undefined && /^--[^=]+$/.test(option)) {
      joined[joined.length - 1] = `${option}=${arg}`;
    } else joined.push(arg);
  }
  return joined;
}

/** Arguments with an option joined to its value, where that value may itself start with a dash. */
export function withDashes(args: readonly string[], option: string): string[] {
  const at = args.indexOf(option);
  if (at < 0 || at + 1 >= args.length) return [...args];
  return [...args.slice(0, at), `${option}=${args[at + 1]}`, ...args.slice(at + 2)];
}

/** The whole number that `text` is, from `least` to `most`. */
export function whole(option: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new UsageError({
    what: `"${text}" does not fit`,
    where: option,
    fix: `give a whole number from ${least} to ${most}`,
  });
}
