/**
 * `deno task power [BASELINE] [TRIALS]`: what the quality gate finds, over the scores that a baseline holds. Prints the table
 * of docs/check.md.
 */

import { parseBaseline } from "../../results/baseline.ts";
import { foundLoss, outcomes, seededRows } from "./power.ts";

const path = Deno.args[0] ?? new URL("../../benchmarks/baseline.json", import.meta.url).pathname;
const trials = Number(Deno.args[1] ?? 1000);
const { checks } = parseBaseline(await Deno.readTextFile(path), path);
const percent = (part: number) => (100 * part).toFixed(1);
const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;

const head = ["benchmark", "row", "seeds", "false alarms", "unchanged: passes", "found in 95 of 100"];
console.log("<!-- power -->\n");
console.log(line([...head, "loss of the margin: found", "passes"]));
console.log(line(["---", "---", ...Array(6).fill("---:")]));
for (const check of checks) {
  const { benchmark, metric: { unit } } = check;
  for (const row of seededRows(check)) {
    const { margin, jobs: { length: pool } } = check.rows.find(({ name }) => name === row)!;
    const before = Math.floor(pool / 2);
    const digits = margin < 0.1 ? 4 : 2;
    for (const after of [1, 3, 6, 12].filter((count) => count <= pool - before)) {
      const sides = { before, after };
      const same = outcomes(check, row, sides, 0, trials);
      const lost = outcomes(check, row, sides, margin, trials);
      console.log(line([
        ...[benchmark, row, `${after} against ${before}`, percent(same.regression), percent(same.pass)],
        `${foundLoss(check, row, sides, trials).toFixed(digits)} ${unit}`.trimEnd(),
        ...[percent(lost.regression), percent(lost.pass)],
      ]));
    }
  }
}
console.log(`\n<!-- /power -->\n\n${trials} trials a line.`);
