/**
 * `deno task power [BASELINE] [TRIALS]`: what the quality gate finds, over the scores that a baseline holds. Prints the table
 * of docs/check.md of rows that have seeds enough, and of the others what the check says of its reach.
 */

import { parseBaseline } from "../../results/baseline.ts";
import { foundLoss, leastSeeds, outcomes, reachOfRow, seededRows } from "./power.ts";

const path = Deno.args[0] ?? new URL("../../benchmarks/baseline.json", import.meta.url).pathname;
const trials = Number(Deno.args[1] ?? 1000);
const { checks } = parseBaseline(await Deno.readTextFile(path), path);
const percent = (part: number) => (100 * part).toFixed(1);
const withUnit = (value: number, unit: string) =>
  unit === "" ? value.toFixed(4) : `${value.toFixed(2)} ${unit}`;
const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;

const head = ["benchmark", "row", "seeds", "false alarms", "unchanged: passes", "found in 95 of 100"];
console.log("<!-- power -->\n");
console.log(line([...head, "loss of the margin: found", "passes"]));
console.log(line(["---", "---", ...Array(6).fill("---:")]));
for (const check of checks) {
  const { benchmark, metric: { unit } } = check;
  for (const row of seededRows(check)) {
    const { margin, jobs: { length: pool } } = check.rows.find(({ name }) => name === row)!;
    if (pool < leastSeeds) continue;
    const before = Math.floor(pool / 2);
    for (const after of [1, 3, 6, 12].filter((count) => count <= pool - before)) {
      const sides = { before, after };
      const same = outcomes(check, row, sides, 0, trials);
      const lost = outcomes(check, row, sides, margin, trials);
      console.log(line([
        ...[benchmark, row, `${after} against ${before}`, percent(same.regression), percent(same.pass)],
        withUnit(foundLoss(check, row, sides, trials), unit),
        ...[percent(lost.regression), percent(lost.pass)],
      ]));
    }
  }
}
console.log(`\n<!-- /power -->\n\n${trials} trials a line.\n\n<!-- reach -->\n`);
console.log(line(["benchmark", "row", "seeds", "standard deviation", "six seeds find", "margin"]));
console.log(line(["---", "---", ...Array(4).fill("---:")]));
for (const check of checks) {
  const { benchmark, metric: { unit } } = check;
  for (const row of seededRows(check)) {
    const { margin, jobs } = check.rows.find(({ name }) => name === row)!;
    if (jobs.length >= leastSeeds) continue;
    const { spread, reach } = reachOfRow(check, row, 6);
    const texts = [spread, reach, margin].map((value) => withUnit(value, unit));
    console.log(line([benchmark, row, `${jobs.length}`, ...texts]));
  }
}
console.log("\n<!-- /reach -->");
