/** The run of the quality gate, and what its scores are asked besides: orderings hold in the very run that the gate judges. */

import { equal, match, ok } from "node:assert/strict";
import { bench, check } from "./commands_running.ts";

/** Mean scores of a run's rows. */
export class Scores {
  readonly #means = new Map<string, number>();

  /** Adds those of a finished run. */
  async add(folder: string): Promise<void> {
    const [, ...lines] = (await Deno.readTextFile(`${folder}/table.csv`)).trimEnd().split("\n");
    for (const line of lines) {
      const [, , method, metric, convention, , mean] = line.split(",");
      const all = `${method} ${metric}`;
      // In the table's order: the first convention is the leading one.
      if (!this.#means.has(all)) this.#means.set(all, Number(mean));
      this.#means.set(`${all} ${convention}`, Number(mean));
    }
  }

  /** A row's mean, under the metric's first convention unless another is said. */
  of(row: string, metric: string, convention?: string): number {
    const mean = this.#means.get([row, metric, ...(convention === undefined ? [] : [convention])].join(" "));
    ok(mean !== undefined && Number.isFinite(mean), `${row} has no ${metric}`);
    return mean;
  }

  /** Fails unless one row is above another by at least so much. */
  above(better: string, worse: string, least: number, metric = "psnr"): void {
    const difference = this.of(better, metric) - this.of(worse, metric);
    const found = `${metric}: ${better} is ${difference.toFixed(3)} above ${worse}`;
    ok(difference >= least, `${found}, not ${least} or more`);
  }
}

/** Runs the gate of a benchmark with seed 1; then {@linkcode runOf} of the `others`, rows that it does not guard. */
export async function gateRun(
  folder: string,
  benchmark: string,
  others: readonly string[] = [],
  ...options: string[]
): Promise<Scores> {
  const gate = await check("", "--benchmarks", benchmark, "--seeds", "1-1", "--out", folder);
  // With one seed a changed program may be inconclusive (3), and the same one is bit-identical (0).
  ok([0, 3].includes(gate.code), gate.out + gate.err);
  match(gate.out, /\d+ rows checked/);
  const scores = others.length === 0
    ? new Scores()
    : await runOf(`${folder}/others`, benchmark, others, ...options);
  await scores.add(`${folder}/${benchmark}`);
  return scores;
}

/** Runs rows of a benchmark with the gate's budget and seed 1. */
export async function runOf(
  folder: string,
  benchmark: string,
  rows: readonly string[],
  ...options: string[]
): Promise<Scores> {
  const { code, err } = await bench(
    ...[benchmark, "--profile", "check", "--methods", rows.join(","), "--seeds", "1-1"],
    ...[...options, "--out", folder],
  );
  equal(code, 0, err);
  const scores = new Scores();
  await scores.add(folder);
  return scores;
}
