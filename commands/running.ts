/** Running a prepared plan for a person at a terminal, who may interrupt it. */

import process from "node:process";
import { Cancelled, execute, type Executor } from "../harness/execute.ts";
import type { Prepared } from "../harness/prepare.ts";
import { readRun, type Run } from "../results/run.ts";
import { writeReports } from "../reports/write.ts";
import { printable } from "./exit.ts";
import { LivePage } from "./live_page.ts";
import { Console } from "./progress.ts";

/** How a run ended. */
export interface Ran {
  /** Its folder, with the reports written. */
  readonly result: Run;
  /** How many jobs failed. */
  readonly failed: number;
}

// What is left to be written after an interruption gets this long.
const farewellMs = 800;

/**
 * Runs a plan's jobs and writes the reports.
 *
 * The first SIGINT or SIGTERM ends the workers, lets what is being written come to its end, and gives `"interrupted"`
 * within a second; the second ends this process at once, with 130. Jobs that were cancelled in a cluster's queue give
 * `"interrupted"`, too. Either way the same command goes on afterwards.
 */
export async function runPlan(prepared: Prepared, executor: Executor): Promise<Ran | "interrupted"> {
  const { folder } = prepared;
  const interrupted = new AbortController();
  const page = new LivePage(folder);
  const screen = new Console(prepared, process.stdout.isTTY === true, page);
  const interrupt = () => {
    if (interrupted.signal.aborted) Deno.exit(130);
    interrupted.abort();
    screen.close();
    console.error(`\ninterrupted: finished jobs are kept in ${folder}; the same command goes on`);
    setTimeout(() => Deno.exit(130), farewellMs);
  };
  Deno.addSignalListener("SIGINT", interrupt);
  Deno.addSignalListener("SIGTERM", interrupt);
  try {
    const { failed } = await execute(prepared, executor, screen, interrupted.signal);
    screen.close();
    await page.close();
    const result = await readRun(folder);
    await writeReports(result);
    return interrupted.signal.aborted ? "interrupted" : { result, failed };
  } catch (error) {
    if (!interrupted.signal.aborted) {
      if (!(error instanceof Cancelled)) throw error;
      screen.close();
      console.error(`\ninterrupted: ${printable(error.message)}`);
    }
    await page.close();
    return "interrupted";
  } finally {
    Deno.removeSignalListener("SIGINT", interrupt);
    Deno.removeSignalListener("SIGTERM", interrupt);
  }
}
