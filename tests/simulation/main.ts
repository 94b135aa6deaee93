/**
 * `deno task simulate [TRIALS]`: how often the suite's intervals hold the truth, and how often its tests raise a false
 * alarm. Prints the tables of docs/statistics.md.
 */

import { significance } from "../../results/comparison.ts";
import { type Kind, kinds, mixes } from "./errors.ts";
import { coverage, falseAlarms, falseEquivalence, type Setting, ways } from "./rates.ts";

const trials = Number(Deno.args[0] ?? 4000);
const percent = (part: number) => (100 * part).toFixed(1);

function* settings(subjects: readonly number[]): Generator<Setting & { mix: string }> {
  for (const count of subjects) {
    for (const kind of kinds as readonly Kind[]) {
      for (const [mix, sources] of Object.entries(mixes)) {
        for (const seeds of [3, 6, 12]) yield { kind, mix, sources, subjects: count, seeds };
      }
    }
  }
}

function print(name: string, head: readonly string[], body: readonly (readonly string[])[]): void {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  console.log(`\n<!-- ${name} -->\n`);
  console.log([line(head), line(head.map((_, i) => (i < 2 ? "---" : "---:"))), ...body.map(line)].join("\n"));
  console.log(`\n<!-- /${name} -->`);
}

const place = ({ kind, mix, subjects, seeds }: Setting & { mix: string }) => [
  kind,
  mix,
  String(subjects),
  String(seeds),
];

print(
  "coverage",
  ["errors", "mostly of", "subjects", "seeds", ...Object.keys(ways)],
  [...settings([12, 4])].map((setting) => [
    ...place(setting),
    ...Object.values(ways).map((way) => percent(coverage(way, setting, trials))),
  ]),
);

print(
  "false-alarms",
  ["errors", "mostly of", "subjects", "seeds", "sure", "test over subjects alone", "equivalent"],
  [...settings([12])].map((setting) => {
    const { sure, subjectsAlone } = falseAlarms(setting, trials);
    const equal = falseEquivalence(setting, trials, 1);
    return [...place(setting), ...[sure, subjectsAlone, equal].map(percent)];
  }),
);
console.log(`\n${trials} trials a line; false alarms at p ≤ ${significance}.`);
