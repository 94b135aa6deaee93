/**
 * Verdicts on what papers claim: reproduced, contradicted or undecided, with the reason where it is undecided.
 *
 * A claim is reproduced where the difference is sure and on the claimed side, contradicted where it is sure and on the
 * other. "Comparable" is reproduced where two one-sided tests, every seed and the interval put the difference within
 * the margin, contradicted where it is surely beyond. An ablation ("contributes") that is surely within the margin is
 * contradicted, too: the part adds nothing that matters. Being alike counts only where the second row surely beats the
 * input, so that such a claim rests on two tests: its p is the larger one (intersection-union). Every claim that can be
 * answered has one p, and all of a run are one family (Holm). Seeds that diverged have no score: no outcome praises a
 * row by the seeds that survived.
 */

import {
  beyond,
  compare,
  type Comparison,
  type Equivalence,
  equivalence,
  isSure,
  sameSign,
  scoresOf,
  significance,
} from "../results/comparison.ts";
import { holm } from "../results/holm.ts";
import type { Claim, MetricHead, Run } from "../results/run.ts";
import type { Summary, SummaryRow } from "../results/summary.ts";
import { counted } from "./words.ts";

/** What a run says of a claim. */
export interface Verdict {
  readonly claim: Claim;
  readonly outcome: "reproduced" | "contradicted" | "undecided";
  /** Why it is undecided; empty where it is not. */
  readonly reason: string;
  /** What it rests on; absent where nothing could be compared. */
  readonly found?: Found;
}

/** What a verdict rests on. */
export interface Found {
  readonly metric: MetricHead;
  /** The first row less the second. */
  readonly comparison: Comparison;
  /** Of the test that decides: for a difference, for being beyond the margin, or for being within it and above the input. */
  readonly p: number;
  /** After Holm, over all claims that this run can answer. */
  readonly adjusted: number;
  /** How many those are. */
  readonly family: number;
  /** At the claim's margin, and in decibels at 0.1 beside it. */
  readonly equivalences: readonly Equivalence[];
}

/** A claim that could be compared, before it is judged. */
interface Question extends Omit<Found, "adjusted" | "family"> {
  readonly claim: Claim;
  /** `within` asks whether the rows are equivalent, `apart` whether the difference (less the margin) is sure. */
  readonly test: "within" | "apart";
  /** What has to be sure for `apart`. */
  readonly difference: Comparison;
  /** What being alike rests on besides: that the second row is better than the one it has to beat. */
  readonly least?: Least;
  /** Why an outcome against the first row would praise what is left of the second. */
  readonly survived?: string;
  /** 1 where the difference is on the claimed side of what separates the outcomes, −1 where it is on the other. */
  readonly side: number;
}

/** The second row against the one that it has to beat. */
interface Least {
  readonly names: readonly [second: string, least: string];
  /** Absent where they have no score in common. */
  readonly comparison?: Comparison;
  readonly isBetter: boolean;
  /** 1 where nothing could be compared. */
  readonly p: number;
}

/** Judges every claim of the run, in the order of `run.json`. */
export function judge({ file: { claims = [] } }: Run, summary: Summary): Verdict[] {
  const asked = claims.map((claim) => ask(claim, summary));
  const questions = asked.filter((one) => typeof one !== "string");
  const adjusted = holm(questions.map(({ p }) => p));
  return asked.map((one, at): Verdict => {
    if (typeof one === "string") return { claim: claims[at], outcome: "undecided", reason: one };
    const { metric, comparison, p, equivalences } = one;
    const found: Found = {
      metric,
      comparison,
      p,
      adjusted: adjusted[questions.indexOf(one)],
      family: questions.length,
      equivalences,
    };
    return { claim: claims[at], ...decided(one, found), found };
  });
}

/** The question that a claim asks of a run, or why the run cannot answer it. */
function ask(claim: Claim, { rows, metrics }: Summary): Question | string {
  const { methods, direction, convention, margin = 0, over } = claim;
  const names = over === undefined ? methods : [...methods, over];
  const found = names.map((name) => rows.find(({ head }) => head.name === name));
  const lacking = names.filter((_, at) => found[at] === undefined);
  if (lacking.length > 0) return `the run has no row ${lacking.join(" and ")}`;
  const metric = metrics.find(({ id, convention: its }) =>
    id === claim.metric && (convention ?? its) === its
  );
  if (metric === undefined) return `the run does not measure ${claim.metric}`;
  if (metric.better === "neither") return `neither way is better in ${claim.metric}`;
  const [first, second, least] = found as SummaryRow[];
  const unfit = whyUnfit(first, true) ?? whyUnfit(second, direction === "comparable");
  if (unfit !== undefined) return unfit;
  const comparison = compare(scoresOf(first, metric), scoresOf(second, metric));
  if (comparison === undefined) return "no test subject has a finite score of both rows in a common seed";

  const margins = [
    ...direction === "better" || margin === 0 ? [] : [margin],
    ...metric.unit === "dB" ? [0.1] : [],
  ];
  const equivalences = [...new Set(margins)].map((edge) => equivalence(comparison, edge));
  const sign = metric.better === "higher" ? 1 : -1;
  const { estimate } = comparison;
  const survived = whyUnfit(second, true);
  const within = direction !== "better" && Math.abs(estimate) <= margin;
  if (within) {
    const [{ p }] = equivalences;
    const side = direction === "comparable" ? 1 : -1;
    const beaten = least && leastOf(second, least, metric);
    return {
      claim,
      metric,
      comparison,
      equivalences,
      test: "within",
      p: Math.max(p, beaten?.p ?? 0),
      difference: comparison,
      least: beaten,
      survived,
      side,
    };
  }
  const offset = direction === "comparable"
    ? Math.sign(estimate) * margin
    : direction === "better"
    ? sign * margin
    : 0;
  const difference = offset === 0 ? comparison : beyond(comparison, offset);
  const side = direction === "comparable" ? -1 : sign * Math.sign(difference.estimate);
  const { p } = difference;
  return { claim, metric, comparison, equivalences, test: "apart", p, difference, survived, side };
}

/** Why a row cannot be judged: jobs that are still to be done, or seeds without a score. */
function whyUnfit({ head, records, planned }: SummaryRow, everySeed: boolean): string | undefined {
  if (records.length < planned) {
    return `${counted(planned - records.length, "job")} of ${head.name} not finished`;
  }
  const seedsThat = (kind: string) =>
    records.filter(({ state }) => state.kind === kind).map(({ seed }) =>
      seed === null ? "it" : `seed ${seed}`
    );
  const failed = seedsThat("failed");
  if (failed.length > 0) return `${failed.join(", ")} of ${head.name} failed, and has to be run again`;
  const diverged = seedsThat("diverged");
  if (diverged.length > 0 && (everySeed || diverged.length === records.length)) {
    return `${diverged.join(", ")} of ${head.name} diverged, and no score can stand for that`;
  }
  return undefined;
}

function leastOf(second: SummaryRow, least: SummaryRow, metric: MetricHead): Least {
  const comparison = compare(scoresOf(second, metric), scoresOf(least, metric));
  const sign = metric.better === "higher" ? 1 : -1;
  return {
    names: [second.head.name, least.head.name],
    comparison,
    isBetter: comparison !== undefined && sign * comparison.estimate > 0,
    p: comparison?.p ?? 1,
  };
}

function decided(question: Question, { adjusted, family }: Found): Pick<Verdict, "outcome" | "reason"> {
  const { test, difference, equivalences, side, survived } = question;
  const answered = test === "within"
    ? adjusted <= significance && equivalences[0].within
    : isSure(difference, adjusted);
  const doubt = whyVacuous(question, adjusted) ?? (side < 0 && answered ? survived : undefined);
  if (doubt !== undefined) return { outcome: "undecided", reason: doubt };
  if (answered) return { outcome: side > 0 ? "reproduced" : "contradicted", reason: "" };
  return { outcome: "undecided", reason: whyUndecided(question, adjusted, family) };
}

/** Why rows that are alike may be so for want of learning: the second does not surely beat the input, or what stands for it. */
function whyVacuous({ least, p }: Question, adjusted: number): string | undefined {
  if (least === undefined) return undefined;
  const { names: [ours, theirs], comparison, isBetter } = least;
  // Where the other test has the larger p, this one is as significant as that.
  const beats = isBetter && isSure(comparison!, least.p === p ? adjusted : least.p);
  return beats
    ? undefined
    : `${ours} itself is not surely better than ${theirs}, so being like it says nothing`;
}

function whyUndecided(
  { claim, test, difference, comparison }: Question,
  adjusted: number,
  family: number,
): string {
  const { seeds, perSubject } = comparison;
  const subjects = counted(perSubject.length, "subject");
  const least = test === "within" ? 2 ** -perSubject.length : difference.smallestP;
  if (least > significance) return `with ${subjects} the smallest reachable p is ${least}`;
  if (seeds.length === 1) return "one seed says nothing of how seeds differ: run more";
  if (adjusted > significance) {
    return family * least > significance
      ? `with ${subjects} and ${family} claims the smallest reachable p is ${family * least}`
      : test === "within" || claim.direction === "comparable"
      ? `neither shown to lie within ±${claim.margin}, nor beyond`
      : "the difference is not significant over subjects";
  }
  if (test === "within") return `at 98 % other subjects or seeds could lie beyond ±${claim.margin}`;
  const beyond = claim.direction === "comparable" ? `±${claim.margin}` : undefined;
  if (!sameSign(difference)) {
    return beyond ? `not beyond ${beyond} in every seed` : "the sign is not the same in every seed";
  }
  return `at 98 % other subjects or seeds could ${beyond ? `lie within ${beyond}` : "turn the sign"}`;
}

/** `verdicts.json`: every verdict with all that it rests on. */
export function verdictsJson({ file }: Run, verdicts: readonly Verdict[]) {
  return {
    version: 1,
    benchmark: file.benchmark,
    profile: file.profile,
    configuration: file.configuration,
    verdicts: verdicts.map(({ claim, outcome, reason, found }) => ({
      ...claim,
      methods: [...claim.methods],
      outcome,
      reason,
      ...(found === undefined ? {} : foundJson(found)),
    })),
  };
}

function foundJson({ metric, comparison, p, adjusted, family, equivalences }: Found) {
  const { estimate, interval, perSubject, perSeed, seeds, leftOut, effect, smallestP } = comparison;
  return {
    convention: metric.convention,
    unit: metric.unit,
    better: metric.better,
    estimate,
    low: interval?.low ?? null,
    high: interval?.high ?? null,
    p,
    pHolm: adjusted,
    family,
    smallestP,
    subjects: perSubject.length,
    subjectsLeftOut: leftOut,
    subjectsAbove: perSubject.filter((difference) => difference > 0).length,
    seeds: [...seeds],
    perSeed: [...perSeed],
    pairedD: effect,
    equivalences: equivalences.map((one) => ({ ...one })),
  };
}
