/** Other processes as contenders. */

import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { Contender } from "./timing.ts";

/** Calls a turn, about: so many milliseconds' worth, which often fit between two interruptions. */
const TURN = 100;

/** What takes turns, once it is ready. */
export interface Racer extends AsyncDisposable {
  /** Waits until it is warm, and settles how many calls a turn has. */
  ready(): Promise<void>;
  readonly turn: Contender;
}

/** A process that answers each line, a count, with the median milliseconds of so many calls of what it measures. */
export class TimedProcess implements Racer {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncIterator<string>;
  readonly #least: number;
  /** Calls a turn. */
  calls: number;

  /** Starts it. A turn is at least `least` calls, however long they take. */
  constructor(
    command: string,
    args: readonly string[],
    kind: Readonly<Record<string, unknown>>,
    least = 3,
  ) {
    this.calls = this.#least = least;
    this.#child = new Deno.Command(command, {
      args: [...args, JSON.stringify(kind)],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    const output = Readable.fromWeb(this.#child.stdout as Parameters<typeof Readable.fromWeb>[0]);
    this.#lines = createInterface({ input: output })[Symbol.asyncIterator]();
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("a process that was to be timed has ended; what it said stands above");
    return value;
  }

  async ready(): Promise<void> {
    await this.#line();
    this.calls = Math.max(this.#least, Math.round(TURN / await this.turn()));
  }

  readonly turn: Contender = async () => {
    await this.#input.write(new TextEncoder().encode(`${this.calls}\n`));
    return Number(await this.#line());
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {}); // closed already, where the process has ended
    await this.#child.status;
  }
}
