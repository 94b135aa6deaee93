/**
 * `deno task evidence [BENCHMARK…]`: makes this folder anew. Runs the profile `quick` of each benchmark with six seeds on
 * which nothing was chosen, and leaves its report and its records here, a folder a benchmark. What is finished in
 * `runs/evidence/` is not run again, so that it can be interrupted. The texts beside the tables are written by hand.
 */

import { benchmarks } from "../../commands/suite.ts";

const root = new URL("../../", import.meta.url).pathname;
const seeds = "101-106";
const formats = "md,csv,json,tex,html,svg,pdf";

async function deno(command: string, ...args: string[]): Promise<void> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "-A", `${root}commands/${command}.ts`, ...args],
  }).spawn().status;
  if (success) return;
  console.error(`${command} did not end well; the same command goes on`);
  Deno.exit(1);
}

const known = benchmarks.map(({ name }) => name);
const names = Deno.args.length > 0 ? Deno.args : known;
const strange = names.find((name) => !known.includes(name));
if (strange !== undefined) {
  console.error(`unknown benchmark "${strange}"; known: ${known.join(", ")}`);
  Deno.exit(2);
}
for (const name of names) {
  const run = `${root}runs/evidence/${name}`;
  const out = `${root}docs/results/${name}`;
  await deno("bench", name, "--seeds", seeds, "--out", run);
  await deno("report", run, "--out", out, "--format", formats);
  // With these two, deno task report makes the tables again.
  for (const file of ["run.json", "records.jsonl"]) await Deno.copyFile(`${run}/${file}`, `${out}/${file}`);
}
