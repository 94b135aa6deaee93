import assert from "node:assert/strict";
import { stream } from "../core/random.ts";
import { beyond, compare, equivalence, isSure, scoresOf, scoreTable } from "../results/comparison.ts";
import { rankingsOf } from "../results/ranking.ts";
import type { ResultRecord, ScoreRow } from "../results/record.ts";
import { summarise } from "../results/summary.ts";
import { metrics, record, row, run, score } from "./reports_made_run.ts";

type Value = ScoreRow["value"];

const subjects = Array.from({ length: 12 }, (_, s) => `s${String(s).padStart(2, "0")}`);
const rng = stream("tests/comparison");
const noise = Array.from({ length: 12 * 6 }, () => rng.normal());

/** A row that trains, whose score of a subject and seed is a value of both. */
function trained(name: string, seeds: readonly number[], value: (subject: number, seed: number) => Value) {
  return seeds.map((seed) =>
    record(name, seed, subjects.map((subject, s) => score(0, subject, "", value(s, seed))))
  );
}

function compared(records: readonly ResultRecord[], index = 0, names = ["a", "b"]) {
  const { rows } = summarise(run(names.map((name) => row(name, true)), records));
  const [a, b] = rows.map((row) => scoresOf(row, metrics[index]));
  return compare(a, b);
}

Deno.test("compare() pairs by subject and seed, averages samples within the subject, and counts what is left out", () => {
  const of = (name: string, seed: number, values: readonly (readonly [string, string, Value])[]) =>
    record(name, seed, values.map(([subject, sample, value]) => score(2, subject, sample, value)));
  const comparison = compared([
    of("a", 1, [["s", "1", 10], ["s", "2", 20], ["t", "1", 5], ["u", "1", "Inf"], ["v", "1", 1]]),
    of("a", 2, [["s", "1", 11], ["s", "2", 99], ["t", "1", 6], ["u", "1", 3], ["w", "1", 1]]),
    of("b", 1, [["s", "1", 1], ["s", "2", 2], ["t", "1", 4], ["u", "1", 2]]),
    of("b", 2, [["s", "1", 3], ["s", "2", null], ["t", "1", 8], ["u", "1", 2]]),
    of("b", 3, [["s", "1", 3]]),
  ], 2)!;
  // Of s only sample 1 has a value in both rows and both seeds; u is ∞ in one seed; v and w are not in both.
  assert.deepEqual(comparison.differences, [[9, 8], [1, -2]]);
  assert.deepEqual(comparison.seeds, [1, 2]);
  assert.equal(comparison.leftOut, 3);
  assert.deepEqual(comparison.perSeed, [5, 3]);
  assert.deepEqual(comparison.perSubject, [8.5, -0.5]);
  assert.equal(comparison.estimate, 4);
});

Deno.test("compare() lets a row without seeds meet every seed of the other", () => {
  const fixed = record("a", null, subjects.map((subject) => score(0, subject, "", 20)));
  const comparison = compared([fixed, ...trained("b", [1, 2, 3], (_, seed) => seed)])!;
  assert.deepEqual(comparison.perSeed, [19, 18, 17]);
  const alone = compared([fixed, record("b", null, subjects.map((subject) => score(0, subject, "", 19)))])!;
  assert.deepEqual([alone.seeds, alone.perSeed, alone.estimate], [[], [1], 1]);
});

Deno.test("compare() mirrors itself where rows are exchanged", () => {
  const a = trained("a", [1, 2, 3], (s, seed) => noise[s] + 0.3 * noise[12 + s + seed]);
  const b = trained("b", [1, 2, 3], (s) => noise[40 + s]);
  const [one, other] = [compared([...a, ...b])!, compared([...a, ...b], 0, ["b", "a"])!];
  assert.equal(other.p, one.p);
  assert.ok(Math.abs(other.estimate + one.estimate) < 1e-12);
  assert.ok(Math.abs(other.interval!.low + one.interval!.high) < 1e-9);
  assert.ok(Math.abs(other.effect! + one.effect!) < 1e-9);
});

Deno.test("compare() is the same whatever order jobs and scores came in", () => {
  const records = [
    ...trained("a", [1, 2, 3], (s, seed) => noise[s + 12 * seed]),
    ...trained("b", [1, 2, 3], (s) => noise[s]),
  ];
  const shuffled = stream("tests/comparison/order").shuffled(records).map((record) => ({
    ...record,
    scores: stream(`tests/comparison/order/${record.method}`).shuffled(record.scores),
  }));
  assert.deepEqual(compared(shuffled), compared(records));
});

Deno.test("compare() has nothing to say without a common seed, a common subject, or a subject at all", () => {
  assert.equal(compared([...trained("a", [1], () => 1), ...trained("b", [2], () => 1)]), undefined);
  assert.equal(
    compared([record("a", 1, [score(0, "s", "", 1)]), record("b", 1, [score(0, "t", "", 1)])]),
    undefined,
  );
  assert.equal(
    compared([record("a", 1, [score(4, "", "", 1)]), record("b", 1, [score(4, "", "", 1)])], 4),
    undefined,
  );
  const diverged = { state: { kind: "diverged", update: 3, reason: "NaN" } } as const;
  const records = [...trained("a", [1], () => 1), record("b", 1, [score(0, "s00", "", 1)], diverged)];
  assert.equal(compared(records), undefined);
});

Deno.test("scoreTable() keeps the subjects that every seed has", () => {
  const records = [
    record("a", 1, [score(0, "t", "", 2), score(0, "s", "", 1)]),
    record("a", 2, [score(0, "s", "", 3), score(0, "t", "", null)]),
  ];
  const [only] = summarise(run([row("a", true)], records)).rows;
  assert.deepEqual(scoreTable(scoresOf(only, metrics[0])), [[1, 3]]);
});

Deno.test("isSure() asks for significance, one sign in every seed, more than one seed, and an interval without zero", () => {
  const better = (by: (seed: number) => number, seeds: number[]) =>
    compared([
      ...trained("a", seeds, (s, seed) => noise[s] + by(seed)),
      ...trained("b", seeds, (s) => noise[s] + 0.1 * noise[20 + s]),
    ])!;
  const clear = better((seed) => 3 + 0.1 * seed, [1, 2, 3]);
  assert.ok(isSure(clear, clear.p));
  assert.ok(!isSure(clear, 0.051));
  assert.ok(!isSure(better(() => 3, [1]), 0.001), "one seed");
  assert.ok(!isSure(better((seed) => seed === 3 ? -1 : 4, [1, 2, 3]), 0.001), "signs");
  const wild = better((seed) => [0.2, 1, 9][seed - 1], [1, 2, 3]);
  assert.equal(wild.p, 2 ** -11);
  assert.ok(!isSure(wild, wild.p), "seeds so far apart that another could turn the sign");
});

Deno.test("beyond() asks for more than a margin, equivalence() for less", () => {
  const made = compared([
    ...trained("a", [1, 2, 3], (s) => noise[s] + 1 + 0.05 * noise[30 + s]),
    ...trained("b", [1, 2, 3], (s) => noise[s]),
  ])!;
  assert.ok(isSure(beyond(made, 0.5), beyond(made, 0.5).p));
  assert.ok(!isSure(beyond(made, made.estimate), 0.001));
  assert.ok(beyond(made, 1.5).estimate < 0);
  const [wide, narrow] = [equivalence(made, 1.5), equivalence(made, 0.9)];
  assert.deepEqual([wide.within, wide.p], [true, 2 ** -12]);
  assert.ok(!narrow.within && narrow.p > 0.5);
  // One seed beyond the margin is enough.
  const uneven = compared([...trained("a", [1, 2], (_, seed) => seed), ...trained("b", [1, 2], () => 1)])!;
  assert.ok(!equivalence(uneven, 0.9).within);
});

Deno.test("rankingsOf() marks first and second place where they are sure, and only there", () => {
  const names = ["input", "good", "best", "alike"];
  const level: Record<string, number> = { input: 10, good: 20, best: 30, alike: 30.01 };
  const made = (chosen: readonly string[], metric = 0) => {
    const records = chosen.flatMap((name, at) =>
      [1, 2, 3].map((seed) =>
        record(
          name,
          seed,
          subjects.map((subject, s) =>
            score(
              metric,
              subject,
              metric === 0 ? "" : "a",
              level[name] + noise[s] + 0.2 * noise[12 * (at + 1) + s] + 0.1 * seed,
            )
          ),
        )
      )
    );
    return rankingsOf(summarise(run(chosen.map((name) => row(name, true)), records)))[metric];
  };
  const clear = made(names.slice(0, 3));
  assert.deepEqual([clear.leader, clear.best, clear.second], ["best", "best", "good"]);
  assert.deepEqual([...clear.toLeader.keys()], ["good", "input"]);
  assert.ok([...clear.toLeader.values()].every(({ adjusted, comparison }) => adjusted >= comparison.p));
  const tied = made(names);
  assert.deepEqual([tied.best, tied.second], [undefined, undefined]);
  // Less is better in data consistency.
  const least = made(names.slice(0, 3), 3);
  assert.deepEqual([least.best, least.second], ["input", "good"]);
});

Deno.test("rankingsOf() calls no place sure that a diverged seed may have bought, or that is still to be run for", () => {
  const records = [
    ...trained("a", [1, 2, 3], (s) => 30 + noise[s]),
    ...trained("b", [1, 2, 3], (s) => 20 + noise[s] ** 2),
  ];
  const best = (records: readonly ResultRecord[]) =>
    rankingsOf(summarise(run([row("a", true), row("b", true)], records)))[0].best;
  assert.equal(best(records), "a");
  const diverged = { ...records[0], state: { kind: "diverged", update: 3, reason: "NaN" } as const };
  assert.equal(best([diverged, ...records.slice(1)]), undefined);
  assert.equal(best(records.slice(1)), undefined);
  assert.equal(best(records.slice(0, -1)), undefined);
});
