/**
 * A fence around code that may crash, hang or take all memory on a malformed file: it runs in a thread of its own.
 *
 * Every question to the thread has a deadline. A thread that does not answer in time, or that crashes, is ended, and
 * the next question gets a new one.
 */

import { Worker } from "node:worker_threads";

// A thread takes a fifth of a second to start, and a survey of a folder asks about its files one by one: of each
// kind an idle one is kept.
const spare = new Map<string, Worker>();

/** A thread that answers questions, one at a time, in the order of asking. It says something once, when it is ready. */
export class Fence<Question, Answer extends { readonly error?: string }> {
  #thread: Worker | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** `module` is the thread's own; it starts with the first question. */
  constructor(readonly module: URL) {}

  /**
   * The thread's answer.
   *
   * @throws {Error} where the answer is an error, where the thread crashes, and where it does not answer within
   * `seconds`. A malformed file may then have left it in any state, and it is ended with all that it had open.
   */
  ask(question: Question, seconds: number): Promise<Answer> {
    const turn = this.#last.then(() => this.#answer(question, seconds));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #answer(question: Question, seconds: number): Promise<Answer> {
    try {
      this.#thread ??= await this.#start();
      const answer = await reply(this.#thread, question, seconds) as Answer;
      if (answer.error !== undefined) throw new Error(answer.error);
      return answer;
    } catch (error) {
      void this.#thread?.terminate();
      this.#thread = undefined;
      throw error;
    }
  }

  async #start(): Promise<Worker> {
    const idle = spare.get(this.module.href);
    if (idle !== undefined) {
      spare.delete(this.module.href);
      return idle;
    }
    const thread = new Worker(this.module);
    // Nobody needs to close it for the program to end.
    thread.unref();
    await reply(thread, undefined, 60);
    return thread;
  }

  /** Gives the thread back, with a last word that it does not answer. */
  release(farewell: Question): void {
    if (this.#thread === undefined) return;
    this.#thread.postMessage(farewell);
    if (spare.has(this.module.href)) void this.#thread.terminate();
    else spare.set(this.module.href, this.#thread);
    this.#thread = undefined;
  }
}

/** The thread's next message after `question` was posted to it. */
function reply(thread: Worker, question: unknown, seconds: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const late = () => finish(() => reject(new Error(`no end of reading after ${seconds.toFixed(0)} s`)));
    const timer = setTimeout(late, seconds * 1000);
    const onMessage = (answer: unknown) => finish(() => resolve(answer));
    const onError = (error: Error) => finish(() => reject(error));
    const onExit = () => finish(() => reject(new Error("the reader crashed")));
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      thread.off("message", onMessage).off("error", onError).off("exit", onExit);
      settle();
    };
    thread.on("message", onMessage).on("error", onError).on("exit", onExit);
    if (question !== undefined) thread.postMessage(question);
  });
}
