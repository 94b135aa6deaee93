/** What a person sees of a run: on a terminal, bars and the table as it stands; in a log, plain lines. */

import { createLogUpdate } from "log-update";
import process from "node:process";
import type { Watcher } from "../harness/execute.ts";
import type { Progress } from "../harness/job.ts";
import { type Job, nameOfJob } from "../harness/plan.ts";
import type { Prepared } from "../harness/prepare.ts";
import { terminalTable } from "../reports/terminal.ts";
import type { ResultRecord } from "../results/record.ts";
import { readRun } from "../results/run.ts";
import { printable } from "./exit.ts";
import type { LivePage } from "./live_page.ts";

const barWidth = 24;

/** How long a log may stay silent while jobs run. */
const quietMs = 30_000;

/** Prints a run as it goes. */
export class Console implements Watcher {
  readonly #active = new Map<string, { job: Job; since: number; progress: Progress }>();
  // The cursor is not hidden, since nobody would show it again where the process is ended from outside.
  readonly #draw = createLogUpdate(process.stdout, { showCursor: true });
  #finished = 0;
  #spoke = performance.now();

  constructor(readonly prepared: Prepared, readonly terminal: boolean, readonly page: LivePage) {}

  planned(finished: readonly Job[], waiting: readonly Job[]): void {
    this.#finished = finished.length;
    this.page.refresh();
    if (finished.length > 0) {
      this.said(`jobs that are finished already: ${finished.length}; to be done: ${waiting.length}`);
    }
  }

  said(line: string): void {
    if (this.terminal) this.#draw.clear();
    console.log(printable(line));
    this.#spoke = performance.now();
    this.#show();
  }

  started(job: Job): void {
    this.#active.set(job.record, {
      job,
      since: performance.now(),
      progress: { phase: "preparing", done: 0 },
    });
    this.#show();
  }

  progressed(job: Job, progress: Progress): void {
    const active = this.#active.get(job.record);
    if (active === undefined) return;
    if (progress.phase !== active.progress.phase) active.since = performance.now();
    active.progress = progress;
    this.#show();
  }

  ended(job: Job, { state, cost }: ResultRecord): void {
    this.#active.delete(job.record);
    this.#finished += 1;
    this.page.refresh();
    const how = state.kind === "done"
      ? "done"
      : state.kind === "diverged"
      ? `diverged at update ${state.update}: ${state.reason}`
      : `failed: ${state.reason}`;
    const time = cost["train-seconds"] === undefined
      ? ""
      : ` (training ${cost["train-seconds"].toFixed(1)} s)`;
    this.said(`[${this.#finished}/${this.prepared.plan.jobs.length}] ${nameOfJob(job)} ${how}${time}`);
  }

  async seedDone(seed: number): Promise<void> {
    const left = this.prepared.plan.jobs.length - this.#finished;
    if (left === 0) return;
    this.said(`\nseed ${seed} is complete; jobs to go: ${left}\n${await this.table()}\n`);
  }

  /** The table as it stands. */
  async table(): Promise<string> {
    return terminalTable(await readRun(this.prepared.folder));
  }

  /** Leaves the terminal as it is. */
  close(): void {
    if (this.terminal) this.#draw.clear();
  }

  #show(): void {
    if (this.#active.size === 0) return;
    if (!this.terminal) return this.#stillThere();
    const width = Math.max(0, ...[...this.#active.values()].map(({ job }) => nameOfJob(job).length));
    this.#draw(
      [...this.#active.values()].map(({ job, since, progress: { phase, done } }) => {
        const filled = Math.round(done * barWidth);
        const bar = "█".repeat(filled) + "░".repeat(barWidth - filled);
        const seconds = (performance.now() - since) / 1000;
        const eta = done > 0.02 && done < 1 ? `ETA ${clock(seconds / done - seconds)}` : "";
        return `${nameOfJob(job).padEnd(width)} ${bar} ${phase.padEnd(9)} ${percent(done)} ${eta}`;
      }).join("\n"),
    );
  }

  /** Into a log, a line where there was none for long. */
  #stillThere(): void {
    if (performance.now() - this.#spoke < quietMs) return;
    this.#spoke = performance.now();
    for (const { job, progress: { phase, done } } of this.#active.values()) {
      console.log(printable(`      ${nameOfJob(job)}: ${phase} ${percent(done).trim()}`));
    }
  }
}

function percent(share: number): string {
  return `${String(Math.round(share * 100)).padStart(3)} %`;
}

function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
