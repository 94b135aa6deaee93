/** `deno task bench status RUN`: how far a run is, whoever works on it and wherever. */

import { UsageError } from "../core/errors.ts";
import { nameOfJob } from "../harness/plan.ts";
import { inWords } from "../harness/slurm.ts";
import { type JobStanding, standingOf } from "../harness/standing.ts";
import { terminalTable } from "../reports/terminal.ts";
import { counted } from "../reports/words.ts";
import { readRun } from "../results/run.ts";
import { oneLine, printable } from "./exit.ts";
import { fromCaller } from "./paths.ts";

// Of many jobs some are named, and the others counted.
const mostNamed = 20;

/** Prints how far the run in a folder is. */
export async function status(folders: readonly string[]): Promise<number> {
  if (folders.length !== 1) {
    throw new UsageError({
      what: `a status is of one run, not of ${folders.length}`,
      where: "deno task bench status",
      fix: "name the folder of a run, e.g. runs/mri-quick",
    });
  }
  const folder = fromCaller(folders[0]);
  const run = await readRun(folder);
  const { jobs, tasks } = await standingOf(folder, (reason) => console.error(printable(reason)));
  const ended = (kind: string) => jobs.filter(({ state }) => state?.kind === kind);
  const started = jobs.filter(({ state, holder, updates }) =>
    state === undefined && (holder !== undefined || updates !== undefined)
  );
  const [done, diverged, failed] = ["done", "diverged", "failed"].map(ended);
  const rest = jobs.length - done.length - diverged.length - failed.length - started.length;
  console.log(
    `${run.file.benchmark}, ${run.file.profile}: ${counted(jobs.length, "job")} in ${printable(folder)}`,
  );
  console.log(
    `  ${done.length} done, ${diverged.length} diverged, ${failed.length} failed, ` +
      `${started.length} started, ${rest} not yet`,
  );
  if (tasks !== undefined && tasks.length > 0) console.log(`  Slurm: ${inWords(tasks)}`);
  const { settings } = run.file.identity as { settings?: { updates?: number } };
  const lines = [
    ...failed.map((standing) => `${nameOfJob(standing.job)}: failed, ${reasonOf(standing)}`),
    ...started.map((standing) => `${nameOfJob(standing.job)}: ${progressOf(standing, settings?.updates)}`),
  ];
  for (const line of lines.slice(0, mostNamed)) console.log(`  ${oneLine(line)}`);
  if (lines.length > mostNamed) console.log(`  and ${lines.length - mostNamed} more`);
  if (run.records.length > 0) console.log(`\n${terminalTable(run)}`);
  return 0;
}

function reasonOf({ state }: JobStanding): string {
  return state?.kind === "failed" ? state.reason.split("\n")[0] : "";
}

function progressOf({ holder, updates, task }: JobStanding, budget: number | undefined): string {
  const far = updates === undefined
    ? "no update is kept yet"
    : `${updates}${budget === undefined ? "" : ` of ${budget}`} updates are kept`;
  const who = task !== undefined
    ? `task ${task.array.id}_${task.index}, ${task.state.toLowerCase()} (${task.detail})`
    : holder ?? "nobody holds it, and it goes on from there";
  return `${far}; ${who}`;
}
