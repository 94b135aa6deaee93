/** How numbers, metrics and rows are written in tables that people read. */

import type { Cell, Summary, SummaryRow } from "../results/summary.ts";
import type { MetricHead } from "../results/run.ts";

/** Which way is better, as an arrow. */
export const arrows: Readonly<Record<MetricHead["better"], string>> = {
  higher: "↑",
  lower: "↓",
  neither: "",
};

/** Words of ids that are abbreviations. */
const abbreviations = new Set(["psnr", "ssim", "nmse", "rmse", "hu", "nps", "frc", "fsc", "ms", "macs"]);

/** A metric's name as text: `psnr` is PSNR, `null-space-error` is null space error. */
export function metricName({ id }: MetricHead): string {
  return id.split("-").map((word) =>
    !abbreviations.has(word) || word === "ms" ? word : word === "macs" ? "MACs" : word.toUpperCase()
  ).join(" ");
}

/** The heading of a metric's column, e.g. `PSNR ↑ (dB)`; with the convention where the same id stands there twice. */
export function metricHeading(metric: MetricHead, all: readonly MetricHead[]): string {
  const twice = all.filter(({ id }) => id === metric.id).length > 1;
  const name = twice ? `${metricName(metric)} ${metric.convention}` : metricName(metric);
  // Some ids say their unit already.
  const unit = metric.unit === "" || /(seconds?|-ms)$/.test(metric.id) ? "" : `(${metric.unit})`;
  return [name, arrows[metric.better], unit].filter((part) => part !== "").join(" ");
}

/** A cell as text: the mean, and the spread where there is one. */
export interface CellText {
  /** A number, `∞`, `NA` or `–`. */
  readonly mean: string;
  /** Empty where there is none. */
  readonly spread: string;
}

/**
 * A cell for people: PSNR with two decimals, SSIM with three, counts with a prefix, all else with three significant
 * digits; the spread with the mean's decimals. `∞`, `NA` where no score has a value, `–` where there is no score.
 */
export function cellText({ metric, mean, std, scores }: Cell): CellText {
  if (mean === null) return { mean: scores > 0 ? "NA" : "–", spread: "" };
  if (!Number.isFinite(mean)) return { mean: mean > 0 ? "∞" : "-∞", spread: "" };
  if (metric.convention === "count") return { mean: withPrefix(mean), spread: "" };
  const write = writerFor(metric, mean);
  return { mean: write(mean), spread: std === null ? "" : write(std) };
}

/** A single score, e.g. below a picture. */
export function scoreText(metric: MetricHead, value: number): string {
  return Number.isFinite(value) ? writerFor(metric, value)(value) : value > 0 ? "∞" : "-∞";
}

/** A number with three significant digits. */
export function shortNumber(value: number): string {
  return significant(value)(value);
}

/** How a row's jobs ended: `3`, `2 of 3, 1 diverged at update 17`; empty for a row without seeds that is done. */
export function outcome({ head, records, planned, done }: SummaryRow): string {
  const parts: string[] = [];
  if (head.trains) parts.push(done === planned ? String(done) : `${done} of ${planned}`);
  const updates = records.flatMap(({ state }) => state.kind === "diverged" ? [state.update] : []);
  if (updates.length > 0) parts.push(`${updates.length} diverged at update ${updates.join(", ")}`);
  const failed = records.filter(({ state }) => state.kind === "failed").length;
  if (failed > 0) parts.push(`${failed} failed`);
  if (parts.length === 0 && done === 0) parts.push("…");
  return parts.join(", ");
}

/** Metrics by convention, in the order in which they stand: `fastmri: PSNR, SSIM; paper: PSNR`. */
export function conventionsOf({ metrics }: Summary): string {
  const groups = new Map<string, string[]>();
  for (const metric of metrics) {
    groups.set(metric.convention, [...groups.get(metric.convention) ?? [], metricName(metric)]);
  }
  return [...groups].map(([convention, names]) => `${convention}: ${names.join(", ")}`).join("; ");
}

function writerFor({ id }: MetricHead, value: number): (value: number) => string {
  if (id.startsWith("psnr")) return (number) => number.toFixed(2);
  if (id.startsWith("ssim")) return (number) => number.toFixed(3);
  return significant(value);
}

function significant(value: number): (value: number) => string {
  const size = Math.abs(value);
  if (size === 0) return (number) => number === 0 ? "0" : number.toPrecision(2);
  if (size < 1e-3 || size >= 1e6) return (number) => number === 0 ? "0" : number.toExponential(1);
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(size)));
  return (number) => number.toFixed(decimals);
}

function withPrefix(count: number): string {
  const prefixes = ["", " k", " M", " G", " T"];
  let step = 0;
  let value = count;
  // 999.5 would be written 1000 with three digits, and so takes the next prefix.
  while (value >= 999.5 && step < prefixes.length - 1) {
    value /= 1000;
    step += 1;
  }
  return (step === 0 ? String(count) : value.toPrecision(3)) + prefixes[step];
}
