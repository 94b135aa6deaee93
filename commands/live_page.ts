/** The page of a run while it goes on: `report.html` in its folder, as far as its jobs have come. */

import { writeProgress } from "../reports/write.ts";
import { readRun } from "../results/run.ts";

// A page takes its time to draw, which the workers could have: it is drawn again after twenty times as long.
const rest = 20;
const reloadSeconds = 15;

/** Rewrites the page, so seldom that the run does not notice. */
export class LivePage {
  #next = 0;
  #drawing: Promise<void> | undefined;

  constructor(readonly folder: string) {}

  /** Draws the page anew, unless that was done only just now. */
  refresh(): void {
    if (this.#drawing !== undefined || performance.now() < this.#next) return;
    const start = performance.now();
    this.#drawing = this.#draw().finally(() => {
      this.#next = performance.now() + rest * (performance.now() - start);
      this.#drawing = undefined;
    });
  }

  /** Waits for a page that is being drawn. */
  async close(): Promise<void> {
    this.#next = Infinity;
    await this.#drawing;
  }

  async #draw(): Promise<void> {
    try {
      await writeProgress(await readRun(this.folder), reloadSeconds);
    } catch (error) {
      // Nobody loses a run for its page; what is wrong with the records is said when it ends.
      console.error(`report.html could not be written: ${(error as Error).message.split("\n")[0]}`);
    }
  }
}
