/** What of a plan is finished already: the records that are there and may stand. */

import { isThere } from "../core/files.ts";
import type { ResultRecord } from "../results/record.ts";
import { changedSources, hashOfSources } from "./code.ts";
import { keptFolder, recordsOf, weightsPath } from "./folder.ts";
import { type Job, nameOfJob } from "./plan.ts";
import type { Prepared } from "./prepare.ts";

/** What is there of a plan. */
export interface Finished {
  /** Records that may stand, by file name, in the plan's order. */
  readonly done: Map<string, ResultRecord>;
  /** Jobs whose record may not. */
  readonly refused: readonly Job[];
}

/** Looks at the records of a plan; `told` hears why one may not stand. */
export async function finishedRecords(
  prepared: Prepared,
  told: (reason: string) => void,
): Promise<Finished> {
  const { folder, plan: { jobs } } = prepared;
  const codes = codesOf(prepared);
  const done = new Map<string, ResultRecord>();
  const refused: Job[] = [];
  const unreadable = (reason: string, job: Job) => {
    refused.push(job);
    told(`${reason}\n  it is run again`);
  };
  for await (const some of recordsOf(folder, jobs, unreadable)) {
    for (const [job, record] of some) {
      if (record === undefined) continue;
      if (await isCurrent(prepared, codes(job.method), job, record, told)) done.set(job.record, record);
      else refused.push(job);
    }
  }
  return { done, refused };
}

/** The code of a row. */
export interface Code {
  readonly hash: string | null;
  /** What of it changed since the folder was last planned, where that is known. */
  readonly changed: string;
}

/** The code of each row, which is looked for once. */
export function codesOf({ sourcesOf, earlierCode }: Prepared): (method: string) => Code {
  const known = new Map<string, Code>();
  return (method) => {
    let code = known.get(method);
    if (code === undefined) {
      const sources = sourcesOf(method);
      code = { hash: hashOfSources(sources), changed: changedSources(earlierCode, sources) };
      known.set(method, code);
    }
    return code;
  };
}

/** Whether a record that is there may stand: finished, of this configuration, and with all that is asked for. */
async function isCurrent(
  { folder, plan, configuration }: Prepared,
  code: Code,
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
  if (record.provenance.code !== code.hash) {
    return again(`was run by other code${code.changed === "" ? "" : ` (changed: ${code.changed})`}`);
  }
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
