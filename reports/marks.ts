/** Which cells of a table are marked: the best in bold, the second underlined, and only where the place is sure. */

import { rankingsOf } from "../results/ranking.ts";
import type { Cell, Summary, SummaryRow } from "../results/summary.ts";
import { counted } from "./words.ts";

/** What a cell's place is, where it is sure. */
export type Mark = "best" | "second" | undefined;

/** The mark of each cell of the summary. */
export function marksOf(summary: Summary): (row: SummaryRow, cell: Cell) => Mark {
  const rankings = new Map(rankingsOf(summary).map((ranking) => [ranking.metric, ranking]));
  return ({ head }, { metric }) => {
    const { best, second } = rankings.get(metric) ?? {};
    return head.name === best ? "best" : head.name === second ? "second" : undefined;
  };
}

/** What the marks mean, or why there are none; nothing where there is nothing to compare. */
export function marksSentences(summary: Summary): string[] {
  const rankings = rankingsOf(summary);
  const compared = rankings.flatMap(({ toLeader }) => [...toLeader.values()]);
  if (compared.length === 0) return [];
  if (!rankings.some(({ best, second }) => best ?? second)) {
    return [`No row is marked as best, since no first place is sure: ${whyNone(summary)}.`];
  }
  return [
    "Bold is the best of a column and underlined the second, each only where the place is sure: against every row below it " +
    "the sign-flip test over subjects is significant (p ≤ 0.05 after Holm's correction for the column), every seed has " +
    "the same sign, and the 98 % interval for new subjects and seeds does not reach zero.",
  ];
}

function whyNone(summary: Summary): string {
  const compared = rankingsOf(summary).flatMap(({ toLeader }) => [...toLeader.values()]);
  if (summary.rows.some(({ records, planned }) => records.length < planned)) {
    return "jobs are still to be done";
  }
  const { perSubject, smallestP } = compared.map(({ comparison }) => comparison).reduce((a, b) =>
    a.smallestP <= b.smallestP ? a : b
  );
  if (smallestP > 0.05) {
    return `with ${counted(perSubject.length, "subject")} the smallest reachable p is ${smallestP}`;
  }
  if (compared.every(({ comparison }) => comparison.seeds.length === 1)) {
    return "one seed says nothing of how seeds differ";
  }
  return "no leader differs surely from every other row";
}
