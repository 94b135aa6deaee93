/** What `deno task check` found: for a terminal, for GitHub's summary of a job, and as JUnit XML for any CI. */

import { differences, type Json } from "../core/json.ts";
import type { Checked } from "../results/baseline.ts";
import type { Change, Finding, Outcome } from "../results/regression.ts";
import { repeatsBits } from "../results/sameness.ts";
import { markdownText, visible, xmlText } from "./escape.ts";
import { metricName, scoreText } from "./format.ts";
import { counted } from "./words.ts";

/** A baseline's check beside what is checked now. */
export type Pair = readonly [before: Checked, after: Checked];

const order: readonly Outcome[] = ["regression", "inconclusive", "pass", "identical"];

const words: Readonly<Record<Outcome, string>> = {
  regression: "REGRESSION",
  inconclusive: "inconclusive",
  pass: "pass",
  identical: "identical",
};

/** What all findings come to: the worst of them. */
export function overall(findings: readonly Finding[]): Outcome {
  return order.find((outcome) => findings.some((finding) => finding.outcome === outcome)) ?? "inconclusive";
}

/** `1 regression, 2 passed; mri, ct.` */
export function overallText(findings: readonly Finding[]): string {
  const names: Readonly<Record<Outcome, string>> = {
    regression: "worse than the baseline",
    inconclusive: "inconclusive",
    pass: "passed",
    identical: "bit-identical",
  };
  const parts = order.flatMap((outcome) => {
    const count = findings.filter((finding) => finding.outcome === outcome).length;
    return count === 0 ? [] : [`${count} ${names[outcome]}`];
  });
  return `${counted(findings.length, "row")} checked: ${parts.join(", ")}.`;
}

/** The findings for a terminal, a line a row, benchmark by benchmark. */
export function checkLines(pairs: readonly Pair[], findings: readonly Finding[]): string {
  const width = Math.max(0, ...findings.map(({ row }) => visible(row).length));
  return pairs.map(([before, after]) =>
    [
      `${visible(after.benchmark)}, ${metricText(after)}, ${baselineText(before)}`,
      ...notesOf(before, after).map((note) => `  note: ${visible(note)}`),
      ...findings.filter(({ check }) => check === after).map((finding) =>
        `  ${words[finding.outcome].padEnd(12)}  ${visible(finding.row).padEnd(width)}  ${
          visible(findingText(finding))
        }`
      ),
    ].join("\n")
  ).join("\n\n");
}

/** The findings as Markdown, a table a benchmark. */
export function checkMarkdown(pairs: readonly Pair[], findings: readonly Finding[]): string {
  const tables = pairs.map(([before, after]) => {
    const lines = findings.filter(({ check }) => check === after).map((finding) =>
      `| ${[words[finding.outcome], finding.row, findingText(finding)].map(markdownText).join(" | ")} |`
    );
    return [
      `### ${markdownText(`${after.benchmark}, ${metricText(after)}`)}`,
      "",
      ...notesOf(before, after).map((note) => `${markdownText(note)}.\n`),
      "| | row | change |",
      "| --- | --- | --- |",
      ...lines,
      "",
      `${markdownText(capitalised(baselineText(before)))}.`,
    ].join("\n");
  });
  return [`## Quality: ${markdownText(overallText(findings))}`, ...tables].join("\n\n") + "\n";
}

/**
 * The findings as JUnit XML: a suite a benchmark, a case a row. A regression is a failure; what is inconclusive is
 * skipped, since it was not decided, and the exit code says so.
 */
export function checkJunit(pairs: readonly Pair[], findings: readonly Finding[]): string {
  const attributes = (values: Readonly<Record<string, string | number>>) =>
    Object.entries(values).map(([name, value]) => ` ${name}="${xmlText(String(value))}"`).join("");
  const counts = (own: readonly Finding[]) => ({
    tests: own.length,
    failures: own.filter(({ outcome }) => outcome === "regression").length,
    skipped: own.filter(({ outcome }) => outcome === "inconclusive").length,
    errors: 0,
  });
  const caseOf = (finding: Finding) => {
    const { check, row, outcome } = finding;
    const head = attributes({
      classname: check.benchmark,
      name: `${row}: ${metricName(check.metric)} ${check.metric.convention}`,
    });
    const message = attributes({ message: findingText(finding) });
    const inside = outcome === "regression"
      ? `<failure type="regression"${message}/>`
      : outcome === "inconclusive"
      ? `<skipped${message}/>`
      : `<system-out>${xmlText(findingText(finding))}</system-out>`;
    return `    <testcase${head}>${inside}</testcase>`;
  };
  const suites = pairs.map(([, after]) => {
    const own = findings.filter(({ check }) => check === after);
    return [
      `  <testsuite${attributes({ name: after.benchmark, ...counts(own) })}>`,
      ...own.map(caseOf),
      "  </testsuite>",
    ].join("\n");
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: "deno task check", ...counts(findings) })}>`,
    ...suites,
    "</testsuites>",
    "",
  ].join("\n");
}

/** One finding as a sentence without a full stop. */
export function findingText({ check, outcome, reason, change }: Finding): string {
  if (outcome === "identical") return "the same weights and scores, to the bit";
  if (change === undefined) return reason;
  const { before, after, better, seeds, needed, leftOut } = change;
  const { metric } = check;
  const unit = metric.unit === "" ? "" : ` ${metric.unit}`;
  const parts = [
    `${scoreText(metric, before)} → ${scoreText(metric, after)}${unit}: ${directionText(change, check)}`,
    ...certainty(change, check),
    ...(change.spread === 0 ? [] : [`${seeds.after} against ${counted(seeds.before, "seed")}`]),
    ...(leftOut > 0 ? [`${counted(leftOut, "sample")} without a finite score left out`] : []),
    ...(reason === "" ? [] : [reason]),
    ...(outcome === "inconclusive" ? [neededText(needed, seeds)] : []),
    ...(outcome === "pass" && better > 0 && change.interval.low > 0 ? ["--update keeps the gain"] : []),
  ];
  return parts.join("; ");
}

function directionText({ better, interval, spread }: Change, check: Checked): string {
  const size = scoreText(check.metric, Math.abs(better));
  const way = better === 0 ? "unchanged" : better > 0 ? `better by ${size}` : `worse by ${size}`;
  if (spread === 0) return way;
  const [low, high] = [interval.low, interval.high].map((end) =>
    `${end < 0 ? "−" : "+"}${scoreText(check.metric, Math.abs(end))}`
  );
  return `${way} (${low} to ${high})`;
}

function certainty({ p, reach, spread }: Change, { metric }: Checked): string[] {
  if (spread === 0) return [];
  return [
    ...(p <= 0.05 ? [`p ${p < 0.0001 ? "< 0.0001" : p.toPrecision(2)}`] : []),
    ...(reach === undefined ? [] : [`a loss of ${scoreText(metric, reach)} is found in 95 of 100`]),
  ];
}

function neededText(needed: Change["needed"], seeds: Change["seeds"]): string {
  if (needed === undefined) return "a hundred seeds would not decide";
  return `if it stays so, ${counted(needed.after, "seed")} would decide` +
    (needed.before > seeds.before ? `, and as many in the baseline, which has ${seeds.before}` : "");
}

function metricText({ metric }: Checked): string {
  return `${metricName(metric)} (${metric.convention})`;
}

function baselineText({ provenance: { commit, arithmetic } }: Checked): string {
  const at = typeof commit === "string" ? `made at commit ${commit.slice(0, 7)}` : "names no commit";
  return `baseline ${at}, arithmetic ${String(arithmetic)}`;
}

/** What differs from the baseline besides scores. */
function notesOf(before: Checked, after: Checked): string[] {
  return [
    ...bitsNote(before, after),
    ...after.rows.flatMap(({ name, settings }) => {
      const old = before.rows.find((row) => row.name === name);
      return old === undefined
        ? []
        : differences(old.settings as Json, settings as Json).map((one) => `${name}: ${one}`);
    }),
  ];
}

/** Why weights and scores are not to be expected to the bit, where they are not. */
function bitsNote(before: Checked, after: Checked): string[] {
  const [[theirBackend, theirs], [ownBackend, ours]] = [before, after].map((
    { provenance: { backend, arithmetic } },
  ) => [String(backend ?? "wasm"), String(arithmetic)]);
  if (theirBackend !== ownBackend) {
    return [`computed by ${ownBackend} here and by ${theirBackend} there, so no bits are the same`];
  }
  if (theirs !== ours) return [`arithmetic is ${ours} here and ${theirs} there, so no bits are the same`];
  return repeatsBits(ownBackend) ? [] : [`${ownBackend} does not repeat its bits, so seeds alone decide`];
}

function capitalised(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}
