/** Writes one report and tells its seconds and megabytes: `report_worker.ts RUN OUT FORMATS`. */

import process from "node:process";
import { type Format, writeReport } from "../../reports/write.ts";
import { readRun } from "../../results/run.ts";

const [folder, out, formats] = Deno.args;
const start = performance.now();
const run = await readRun(folder);
const read = performance.now();
await writeReport([run], out, formats.split(",") as Format[]);
const written = performance.now();
console.log(JSON.stringify({
  records: run.records.length,
  readSeconds: (read - start) / 1000,
  writeSeconds: (written - read) / 1000,
  megabytes: process.resourceUsage().maxRSS / 1024,
}));
