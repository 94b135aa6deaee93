/** What of a plan is finished already: the records that are there and may stand. */

import { readRecord, type ResultRecord } from "../results/record.ts";
import { keptFolder, recordPath, removeRecord, weightsPath } from "./folder.ts";
import { type Job, nameOfJob } from "./plan.ts";
import type { Prepared } from "./prepare.ts";

// Records that are read at once: on a shared file system each takes its time, and they do not wait for each other.
const atOnce = 32;

/**
 * The records that may stand, by file name, in the plan's order. The others are removed, so that whatever record comes
 * next is a new one; `told` hears why.
 */
export async function finishedRecords(
  prepared: Prepared,
  told: (reason: string) => void,
): Promise<Map<string, ResultRecord>> {
  const { folder, plan: { jobs } } = prepared;
  const done = new Map<string, ResultRecord>();
  const look = async (job: Job) => {
    let broken = false;
    const record = await readRecord(recordPath(folder, job), (reason) => {
      broken = true;
      told(`${reason}\n  it is run again`);
    });
    if (record !== undefined && await isCurrent(prepared, job, record, told)) return record;
    if (broken || record !== undefined) await removeRecord(folder, job);
  };
  for (let at = 0; at < jobs.length; at += atOnce) {
    const some = jobs.slice(at, at + atOnce);
    for (const [i, record] of (await Promise.all(some.map(look))).entries()) {
      if (record !== undefined) done.set(some[i].record, record);
    }
  }
  return done;
}

/** Whether a record that is there may stand: finished, of this configuration, and with all that is asked for. */
async function isCurrent(
  { folder, plan, run, configuration }: Prepared,
  job: Job,
  record: ResultRecord,
  told: (reason: string) => void,
): Promise<boolean> {
  const again = (why: string) => {
    told(`${nameOfJob(job)} ${why} and is run again`);
    return false;
  };
  if (record.method !== job.method || record.seed !== job.seed) return again("has the record of another job");
  if (record.state.kind === "failed") return again("failed before");
  if (record.provenance.code !== run.provenance.code) return again("was run by other code");
  const { row, settings, given } = configuration.rows.find(({ row }) => row.name === job.method)!;
  const tuned = row.method.tune?.setting ?? "";
  const differing = Object.keys(settings).filter((name) =>
    (name !== tuned || given.includes(tuned)) && record.settings[name] !== settings[name]
  );
  if (differing.length > 0 || record.configuration !== plan.configuration) {
    return again(`was run with other settings (${differing.join(", ") || "another configuration"})`);
  }
  const lacksImages = plan.keepImages && record.state.kind === "done" &&
    !await isThere(`${folder}/${keptFolder(job)}`);
  const lacksWeights = plan.keepWeights && record.state.kind === "done" &&
    !await isThere(`${folder}/${weightsPath(job)}`);
  if (lacksWeights) return again("was run without --keep-weights");
  return lacksImages ? again("was run without --keep-images") : true;
}

function isThere(path: string): Promise<boolean> {
  return Deno.stat(path).then(() => true, () => false);
}
