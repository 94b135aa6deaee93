/**
 * `deno task job RUN INDEX`: does one job of a plan and leaves its record.
 *
 * It is what the workers of `deno task bench` run, and what any other engine runs that takes a plan from
 * `deno task bench … --plan`.
 */

import { UsageError } from "../core/errors.ts";
import { startBackend } from "../engine/backend.ts";
import { configure, named } from "../harness/configuration.ts";
import { openDataset } from "../harness/context.ts";
import { readPlan, writeRecord } from "../harness/folder.ts";
import { type Progress, runJob } from "../harness/job.ts";
import { Shelf } from "../harness/samples.ts";
import { exitWithError } from "./exit.ts";
import { loadSuite } from "./suite.ts";

async function main(folder: string, index: string, worker: boolean): Promise<void> {
  const plan = await readPlan(folder);
  const job = plan.jobs[Number(index)];
  if (!/^\d+$/.test(index) || job === undefined) {
    throw new UsageError({
      what: `there is no job ${index}`,
      where: `${folder}/plan.json`,
      fix: `give a number from 0 to ${plan.jobs.length - 1}`,
    });
  }
  const suite = await loadSuite(plan.use);
  const configuration = configure(suite.benchmarks, plan.request);
  const { benchmark, settings, profile } = configuration;
  await startBackend(plan.backend);
  const { paths, options, stream, contents } = plan.data;
  const dataset = await openDataset(suite, benchmark, settings, paths, options, contents);
  const row = configuration.rows.find((candidate) =>
    candidate.row === named(
      configuration.rows.map(({ row }) => row),
      job.method,
      "method",
    )
  )!;
  const shelf = Shelf.of(dataset, benchmark, settings, stream);
  const place = { folder, plan, profile, settings, row, shelf };
  await writeRecord(folder, job, await runJob(place, job, worker ? teller() : () => {}));
  dataset.close();
}

/** Tells the launcher, not more than a few times a second. */
function teller(): (progress: Progress) => void {
  let last = 0;
  return (progress) => {
    const now = performance.now();
    if (progress.done < 1 && now - last < 200) return;
    last = now;
    console.log(JSON.stringify(progress));
  };
}

if (import.meta.main) {
  const [folder, index, flag] = Deno.args;
  if (folder === undefined || index === undefined) {
    console.error(
      "usage: deno task job RUN INDEX\n\nRUN is a run's folder, INDEX the number of a job in its plan.json.",
    );
    Deno.exit(2);
  }
  await main(folder, index, flag === "--worker").catch(exitWithError);
  Deno.exit(0);
}
