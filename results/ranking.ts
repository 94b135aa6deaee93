/**
 * Which row is best and which second under a metric, where that is sure.
 *
 * Rows are ranked by their means. The first place is sure where the leader's difference from every other row is; the
 * second, where that row is surely worse than the leader and surely better than all the rest. Holm's family are all
 * these comparisons under one metric. That the leader was picked by looking does no harm: of rows that are alike at
 * the top, one is called best only where it differs surely from each of the others.
 */

import { compare, type Comparison, isSure, scoresOf } from "./comparison.ts";
import { holm } from "./holm.ts";
import type { MetricHead } from "./run.ts";
import type { Summary, SummaryRow } from "./summary.ts";

/** A comparison with its p as corrected for the family that it stands in. */
export interface Judged {
  readonly comparison: Comparison;
  /** After Holm. */
  readonly adjusted: number;
  /** Whether the difference is sure. */
  readonly sure: boolean;
}

/** The order of the rows under one metric. */
export interface Ranking {
  readonly metric: MetricHead;
  /** The row with the best mean; none where no way is better, or no row has a mean. */
  readonly leader?: string;
  /** The leader less each other row, by the other's name; rows that have no common score are not in it. */
  readonly toLeader: ReadonlyMap<string, Judged>;
  /** The leader, where its place is sure. */
  readonly best?: string;
  /** The row with the second mean, where its place is sure. */
  readonly second?: string;
}

// Every table of a run needs them, and none changes a summary.
const known = new WeakMap<Summary, readonly Ranking[]>();

/** The ranking under each metric, in the order of {@linkcode Summary.metrics}. */
export function rankingsOf(summary: Summary): readonly Ranking[] {
  let rankings = known.get(summary);
  if (rankings === undefined) {
    rankings = summary.metrics.map((metric, index) => rankingOf(summary.rows, metric, index));
    known.set(summary, rankings);
  }
  return rankings;
}

function rankingOf(rows: readonly SummaryRow[], metric: MetricHead, index: number): Ranking {
  const sign = { higher: 1, lower: -1, neither: 0 }[metric.better];
  const meanOf = ({ cells }: SummaryRow) => cells[index].mean;
  const ranked = sign === 0 ? [] : rows.filter((row) => meanOf(row) !== null);
  ranked.sort((a, b) => sign * Math.sign(meanOf(b)! - meanOf(a)!));
  const [first, second, ...rest] = ranked;
  if (second === undefined) return { metric, leader: first?.head.name, toLeader: new Map() };

  const scores = new Map(ranked.map((row) => [row, scoresOf(row, metric)]));
  const against = (row: SummaryRow, others: readonly SummaryRow[]) =>
    others.map((other) => compare(scores.get(row)!, scores.get(other)!));
  const asked = [...against(first, [second, ...rest]), ...against(second, rest)];
  const found = asked.filter((comparison) => comparison !== undefined);
  const adjusted = holm(found.map(({ p }) => p));
  const judged = asked.map((comparison): Judged | undefined => {
    if (comparison === undefined) return undefined;
    const p = adjusted[found.indexOf(comparison)];
    return { comparison, adjusted: p, sure: sign * comparison.estimate > 0 && isSure(comparison, p) };
  });

  const places = judged.map((one) => one?.sure ?? false);
  // A mean without its worst seeds, or one that is still to come, makes no place sure.
  const whole = ({ done, planned }: SummaryRow) => done === planned;
  const waiting = rows.some(({ records, planned }) => records.length < planned);
  const others = ranked.length - 1;
  const best = !waiting && whole(first) && places.slice(0, others).every(Boolean);
  const next = !waiting && whole(second) && places[0] && rest.length > 0 &&
    places.slice(others).every(Boolean);
  return {
    metric,
    leader: first.head.name,
    toLeader: new Map([second, ...rest].flatMap((row, at) => {
      const one = judged[at];
      return one === undefined ? [] : [[row.head.name, one] as const];
    })),
    best: best ? first.head.name : undefined,
    second: next ? second.head.name : undefined,
  };
}
