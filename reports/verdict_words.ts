/** Verdicts as sentences, for a terminal and for `table.md`. */

import { significance } from "../results/comparison.ts";
import type { Run } from "../results/run.ts";
import { summarise } from "../results/summary.ts";
import { visible } from "./escape.ts";
import { metricName, scoreText, shortNumber } from "./format.ts";
import { type Found, judge, type Verdict } from "./verdicts.ts";
import { capital, counted } from "./words.ts";

const outcomes = ["reproduced", "contradicted", "undecided"] as const;

/** What an ablation's outcomes are called: nobody published that a part earns its place. */
const ofParts = { reproduced: "in favour of the part", contradicted: "against it", undecided: "undecided" };

/**
 * `10 published claims: 7 reproduced, 1 contradicted, 2 undecided. 2 ablations of our own: 0 in favour of the part, 2
 * against it, 0 undecided.`
 */
export function verdictCount(verdicts: readonly Verdict[]): string {
  const [ablations, claims] = [true, false].map((is) =>
    verdicts.filter((verdict) => isAblation(verdict) === is)
  );
  const parts = (own: readonly Verdict[], words: Readonly<Record<Verdict["outcome"], string>>) =>
    outcomes.map((outcome) =>
      `${own.filter((verdict) => verdict.outcome === outcome).length} ${words[outcome]}`
    ).join(", ");
  const published = { reproduced: "reproduced", contradicted: "contradicted", undecided: "undecided" };
  return [
    ...(claims.length === 0
      ? []
      : [`${counted(claims.length, "published claim")}: ${parts(claims, published)}.`]),
    ...(ablations.length === 0
      ? []
      : [`${counted(ablations.length, "ablation")} of our own: ${parts(ablations, ofParts)}.`]),
  ].join(" ");
}

/** What the numbers of {@linkcode verdictLines} are. */
export function verdictNote(verdicts: readonly Verdict[]): string {
  const answered = verdicts.filter(isFound);
  const ablations = answered.filter(isAblation).length;
  const asked = [
    ...(answered.length > ablations ? [counted(answered.length - ablations, "claim")] : []),
    ...(ablations > 0 ? [counted(ablations, "ablation")] : []),
  ];
  return asked.length === 0
    ? ""
    : "Numbers are the first row less the second, with the 95 % interval for new subjects and seeds, and p after Holm's " +
      `correction for the ${asked.join(" and ")} that this run can answer.`;
}

/** What was found on each published claim that the run can speak to; the claim first, then the numbers. */
export function verdictLines(
  verdicts: readonly Verdict[],
): { outcome: Verdict["outcome"]; heading: string; text: string }[] {
  return verdicts.filter(isFound).filter((verdict) => !isAblation(verdict)).map((verdict) => ({
    outcome: verdict.outcome,
    heading: `${capital(verdict.outcome)}: ${headingOf(verdict)}`,
    text: [
      ...(verdict.reason === "" ? [] : [`${capital(verdict.reason)}.`]),
      `${foundText(verdict)}.`,
      `${verdict.claim.source}: ${verdict.claim.claim}.`,
    ].join(" "),
  }));
}

/** What the ablations say of the parts of a method: one sentence for what was found alike under several metrics. */
export function ablationLines(verdicts: readonly Verdict[]): string[] {
  const ablations = verdicts.filter(isFound).filter(isAblation);
  const groups = Map.groupBy(ablations, (one) => ablationOpening(one));
  return [...groups].map(([opening, group]) => {
    const numbers = group.map((one) => `${metricName(one.found.metric)} ${foundText(one)}`);
    return `${opening} ${group[0].claim.methods.join(" less ")}: ${numbers.join("; ")}.`;
  });
}

/** Why other claims, and then ablations, are left open, those with one reason together. */
export function openLines(verdicts: readonly Verdict[]): string[] {
  const open = verdicts.filter((verdict) => !isFound(verdict));
  return ([["claim", false], ["ablation", true]] as const).flatMap(([noun, is]) => {
    const reasons = Map.groupBy(open.filter((verdict) => isAblation(verdict) === is), ({ reason }) => reason);
    return [...reasons].map(([reason, { length }]) => `${counted(length, noun)} left undecided: ${reason}.`);
  });
}

/** The verdicts for a terminal, a line each; empty where the run has no claims. */
export function terminalVerdicts(run: Run): string {
  const verdicts = judge(run, summarise(run));
  if (verdicts.length === 0) return "";
  const found = verdicts.filter(isFound).filter((verdict) => !isAblation(verdict));
  const width = Math.max(0, ...found.map((verdict) => headingOf(verdict).length));
  const line = (verdict: Verdict & { found: Found }) =>
    `  ${verdict.outcome.padEnd(12)}  ${headingOf(verdict).padEnd(width)}  ${estimateText(verdict)}`;
  const undecided = Map.groupBy(
    found.filter(({ outcome }) => outcome === "undecided"),
    ({ reason }) => reason,
  );
  return [
    verdictCount(verdicts),
    ...found.filter(({ outcome }) => outcome !== "undecided").map(line),
    ...[...undecided].flatMap(([reason, group]) => [...group.map(line), `    ${reason}`]),
    ...openLines(verdicts).map((open) => `  ${open}`),
    ...ablationLines(verdicts),
  ].map(visible).join("\n");
}

function isAblation({ claim }: Verdict): boolean {
  return claim.direction === "contributes";
}

function isFound(verdict: Verdict): verdict is Verdict & { found: Found } {
  return verdict.found !== undefined;
}

function headingOf({ claim: { methods: [first, second], direction, margin }, found }: Verdict): string {
  const { metric } = found!;
  const unit = unitOf(found!);
  const name = metricName(metric);
  if (direction === "comparable") {
    return `${first} comparable with ${second} in ${name}, within ±${margin}${unit}`;
  }
  return `${first} better than ${second} in ${name}` +
    (margin === undefined ? "" : ` by more than ${margin}${unit}`);
}

/** What an ablation concludes. */
function ablationOpening({ claim, outcome, reason, found }: Verdict & { found: Found }): string {
  const part = claim.claim;
  const { metric, comparison: { estimate, interval } } = found;
  if (outcome === "undecided") return `Ablation: whether ${part} earns its place is undecided (${reason}).`;
  if (outcome === "reproduced") return `Ablation: ${part} earns its place.`;
  const worse = metric.better === "higher" ? estimate < 0 : estimate > 0;
  // The end of the interval that is nearest to no gain.
  const least = metric.better === "higher" ? interval?.low ?? -1 : -(interval?.high ?? 1);
  if (least > 0) return `Ablation: ${part} gains less than the margin here.`;
  return worse && Math.abs(estimate) > (claim.margin ?? 0)
    ? `Ablation: ${part} does harm here.`
    : `Ablation: ${part} does not earn its place here; what the method gains, it owes to its other parts.`;
}

/** `+5.77 dB [+3.44, +8.04], p 0.0049`: the difference, its 95 % interval, and the corrected p. */
function estimateText({ found }: Verdict & { found: Found }): string {
  const { metric, comparison: { estimate, interval }, adjusted } = found;
  const signed = signedIn(found);
  const range = interval === undefined ? "" : ` [${signed(interval.low)}, ${signed(interval.high)}]`;
  return `${signed(estimate)}${metric.unit === "" ? "" : ` ${metric.unit}`}${range}, p ${pText(adjusted)}`;
}

function foundText(verdict: Verdict & { found: Found }): string {
  const { claim, found, outcome } = verdict;
  const { perSeed, perSubject, seeds, leftOut, effect } = found.comparison;
  const better = found.metric.better === "higher" ? 1 : -1;
  // Of rows that are surely apart nobody asks whether they are equivalent.
  const asked = claim.direction !== "better" || outcome === "undecided" ? found.equivalences : [];
  return [
    estimateText(verdict),
    `better in ${perSubject.filter((value) => better * value > 0).length} of ${
      counted(perSubject.length, "subject")
    }` + (leftOut > 0 ? ` (${leftOut} without a common score)` : ""),
    ...(seeds.length > 0 ? [`by seed ${perSeed.map(signedIn(found)).join(" ")}`] : []),
    ...(effect === null ? [] : [`paired d ${minus(shortNumber(effect))}`]),
    ...asked.map(({ margin, p, within }) =>
      `${within && p <= significance ? "within" : "not shown to be within"} ±${margin}${unitOf(found)} (p ${
        pText(p)
      }${!within && p <= significance ? ", but other subjects or seeds could lie beyond" : ""})`
    ),
  ].join(", ");
}

function signedIn({ metric }: Found): (value: number) => string {
  return (value) => minus((value > 0 ? "+" : "") + scoreText(metric, value));
}

function minus(text: string): string {
  return text.replace(/^-/, "−");
}

function unitOf({ metric }: Found): string {
  return metric.unit === "" ? "" : ` ${metric.unit}`;
}

/** A p with as many digits as it deserves. */
export function pText(p: number): string {
  return p < 0.0001 ? "< 0.0001" : p.toFixed(p < 0.1 ? 4 : 2);
}
