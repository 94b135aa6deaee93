/** How far a run is, from its folder alone and, where it has an array, Slurm's queue. */

import { readIfThere } from "../core/files.ts";
import { readRecord, type State } from "../results/record.ts";
import { keptUpdates } from "./checkpoint.ts";
import { checkpointBase, jobLock, readPlan, recordPath } from "./folder.ts";
import type { Job } from "./plan.ts";
import { arraysOf, queued, type Task } from "./slurm.ts";

/** How far a job is. */
export interface JobStanding {
  readonly job: Job;
  /** How it ended, if it has. */
  readonly state?: State;
  /** Who works on it, or did when it was ended: `process 17 on node3`. */
  readonly holder?: string;
  /** Updates of its training that are kept. */
  readonly updates?: number;
  /** Its task, where it is in Slurm's queue. */
  readonly task?: Task;
}

/** How far a run is. */
export interface RunStanding {
  /** In the plan's order. */
  readonly jobs: readonly JobStanding[];
  /** All tasks of the run that are in Slurm's queue; undefined where Slurm does not answer. */
  readonly tasks?: readonly Task[];
}

/** Looks at a run's folder, and changes nothing. `told` hears what cannot be read. */
export async function standingOf(folder: string, told: (reason: string) => void): Promise<RunStanding> {
  const { jobs } = await readPlan(folder);
  const tasks = await arraysOf(folder).then((arrays) => queued(arrays, told)).catch((error) =>
    told(error.message)
  );
  const taskOf = new Map(
    (tasks ?? []).flatMap((task) => task.array.tasks[task.index].map((record) => [record, task] as const)),
  );
  const standings: JobStanding[] = [];
  for (const job of jobs) {
    const record = await readRecord(recordPath(folder, job), told);
    if (record !== undefined) {
      standings.push({ job, state: record.state });
      continue;
    }
    const [holder, updates] = await Promise.all([
      readIfThere(jobLock(folder, job)),
      keptUpdates(checkpointBase(folder, job)),
    ]);
    standings.push({ job, holder: holder?.trim(), updates, task: taskOf.get(job.record) });
  }
  return { jobs: standings, ...(tasks ? { tasks } : {}) };
}
