/** What has to be said about a table, as plain sentences that each format escapes for itself. */

import { stripVTControlCharacters } from "node:util";
import { canonicalJson, type Json } from "../core/json.ts";
import type { ResultRecord } from "../results/record.ts";
import type { MetricHead, Run, RunFile, SplitSummary } from "../results/run.ts";
import { repeatsBits } from "../results/sameness.ts";
import { type Summary, type SummaryRow, withoutEmpty } from "../results/summary.ts";
import { conventionsOf, metricHeading } from "./format.ts";
import { gapSentences } from "./gaps.ts";
import { marksSentences } from "./marks.ts";
import { capital, counted, ranges, sentence } from "./words.ts";

/** How the run's data are special: what every table of it must say. */
export function banners({ file }: Run): string[] {
  return file.banners.map((banner) => sentence(capital(banner)));
}

/** Records that are not in the table though they should be. */
export function refusals({ refused = [] }: Run): string[] {
  return refused.map((reason) => `Not in this table: ${sentence(reason)}`);
}

/** The caption: what was asked, on which data, and how the numbers came about; a few lines, whatever the run. */
export function caption({ file }: Run, summary: Summary): string[] {
  const { dataset, split } = file;
  const parts = inOrder(split.parts).map(([part, { subjects, samples }]) =>
    `${part} ${counted(subjects.length, "subject")} with ${counted(samples, "sample")}`
  );
  return [
    sentence(file.question),
    `Benchmark ${file.benchmark}, profile ${file.profile}; data: ${dataset.name} (${dataset.kind}, SHA-256 ${
      dataset.hash.slice(0, 12)
    }).`,
    `Split (${split.kind}): ${parts.join(", ")}.`,
    spreadSentence(file),
    ...marksSentences(summary),
    `Conventions: ${conventionsOf(withoutEmpty(summary))}.`,
  ];
}

/** What else a reader has to know: settings, what is not in the means, how jobs ended. As long as it takes. */
export function notes({ file }: Run, summary: Summary): string[] {
  return [
    ...gapSentences(summary),
    ...summary.rows.flatMap(endings),
    ...mixedSentence(summary),
    ...file.notes.map(sentence),
    ...backendSentence(file),
    ...settingsSentence(file),
  ];
}

/** What a metric's number means. */
export function metricLines(metrics: readonly MetricHead[]): { heading: string; text: string }[] {
  return metrics.map((metric) => ({
    heading: metricHeading(metric, metrics),
    text: `convention ${metric.convention}: ${sentence(metric.about)}`,
  }));
}

/** What a row is, what it knew, and how it was trained. */
export function rowLines({ rows }: Summary): { heading: string; text: string }[] {
  return rows.map((row) => {
    const { head, records } = row;
    const used = settingsUsed(records);
    const finished = records.filter(({ state }) => state.kind === "done");
    const updates = finished.reduce((most, { log }) => Math.max(most, log.at(-1)?.update ?? 0), 0);
    return {
      heading: head.name,
      text: [
        sentence(head.about),
        head.source === "" ? "" : `Source: ${sentence(head.source)}`,
        `Given: ${sentence(head.knows)}`,
        head.trains && updates > 0 ? `Trained for ${counted(updates, "generator update")}.` : "",
        used === "" ? "" : `Settings: ${used}.`,
        ...notesOf(records),
      ].filter((part) => part !== "").join(" "),
    };
  });
}

function spreadSentence({ seeds, rows }: RunFile): string {
  const unit = "a score is the mean over test subjects of each subject's mean over its samples";
  if (!rows.some(({ trains }) => trains) || seeds.length === 0) return `No row has seeds; ${unit}.`;
  if (seeds.length === 1) return `Seed ${seeds[0]} only, so without a spread; ${unit}.`;
  return `Mean ± sample standard deviation (n − 1) over the seeds ${
    ranges(seeds)
  }; for each seed, ${unit}. ` +
    "Rows without seeds have no spread.";
}

/** The parts of a split that hold something, as one reads them; `run.json` has its keys sorted. */
function inOrder(parts: SplitSummary["parts"]): [string, SplitSummary["parts"][string]][] {
  const known = ["x", "y", "validation", "test"];
  const place = (part: string) => known.includes(part) ? known.indexOf(part) : known.length;
  return Object.entries(parts).filter(([, { samples }]) => samples > 0).sort(([a], [b]) =>
    place(a) - place(b)
  );
}

/** Says what computed, where its bits do not repeat. */
function backendSentence({ provenance: { backend, device } }: RunFile): string[] {
  if (repeatsBits(backend)) return [];
  const on = typeof device === "string" ? ` (${device})` : "";
  return [
    `Computed on the backend ${String(backend)}${on}, whose last digits may be other ones the next time.`,
  ];
}

function settingsSentence({ identity }: RunFile): string[] {
  const settings = identity.settings;
  if (!isObject(settings) || Object.keys(settings).length === 0) return [];
  return [`Settings of the benchmark: ${listed(settings)}.`];
}

/** How jobs ended that did not end well, and which have not ended. */
function endings({ head, records, planned, done }: SummaryRow): string[] {
  const lines = records.flatMap((record) => {
    const { state } = record;
    if (state.kind === "done") return [];
    const how = state.kind === "diverged" ? `diverged at update ${state.update}` : "failed";
    return [`${jobName(record)} ${how}: ${sentence(firstLine(state.reason))}`];
  });
  if (lines.length > 0 && done > 0) {
    lines.push(`${head.name}: the mean is over ${done} of ${counted(planned, "seed")}.`);
  }
  const waiting = planned - records.length;
  if (waiting > 0) lines.push(`${head.name}: ${waiting} of ${counted(planned, "job")} not finished.`);
  return lines;
}

function jobName({ method, seed }: ResultRecord): string {
  return seed === null ? method : `${method}, seed ${seed},`;
}

/** Settings as used; one that differs between seeds shows each value. */
function settingsUsed(records: readonly ResultRecord[]): string {
  const names = [...new Set(records.flatMap(({ settings }) => Object.keys(settings)))].sort();
  return names.map((name) => {
    const values = records.filter(({ settings }) => name in settings).map(({ settings }) =>
      plain(settings[name])
    );
    return `${name} ${[...new Set(values)].join(" / ")}`;
  }).join(", ");
}

/** Notes of a row's records; one that not all of them share says whose it is. */
function notesOf(records: readonly ResultRecord[]): string[] {
  const notes = [...new Set(records.flatMap(({ notes }) => notes))];
  return notes.map((note) => {
    const owners = records.filter((record) => record.notes.includes(note));
    const whose = owners.length === records.length
      ? ""
      : `Seed ${owners.map(({ seed }) => seed).join(", ")}: `;
    return whose + sentence(note);
  });
}

function listed(settings: { readonly [name: string]: Json }): string {
  return Object.keys(settings).sort().map((name) => `${name} ${plain(settings[name])}`).join(", ");
}

function plain(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function isObject(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a reason says first; a worker that died may have left pages, which its record keeps. */
function firstLine(reason: string): string {
  const lines = stripVTControlCharacters(reason).split("\n").map((line) => line.trim());
  const line = lines.find((line) => line !== "") ?? "no reason given";
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}

/** Says so where records were made by different code or on different machines. */
function mixedSentence({ rows }: Summary): string[] {
  const made = new Map<string, string>();
  const all = rows.flatMap(({ records }): ResultRecord["provenance"][] => {
    const done = records.filter(({ state }) => state.kind !== "failed");
    // Each row has its own code, which is another one only where it is so within the row.
    const codes = [...new Set(done.map(({ provenance }) => provenance.code))];
    return done.map(({ provenance }) => ({ ...provenance, code: codes.indexOf(provenance.code) }));
  });
  for (const provenance of all) {
    const said = (name: string) => typeof provenance[name] === "string" ? provenance[name] : "unknown";
    const [commit, deno, arithmetic, processor] = ["commit", "deno", "arithmetic", "processor"].map(said);
    const { device } = provenance;
    made.set(
      canonicalJson(provenance),
      [
        `commit ${commit}`,
        `Deno ${deno}`,
        arithmetic,
        processor,
        ...(typeof device === "string" ? [device] : []),
      ].join(", "),
    );
  }
  if (made.size < 2) return [];
  return [
    `Its records were made in ${made.size} different ways: ${[...new Set(made.values())].sort().join("; ")}.`,
  ];
}
