/** The table as it stands, for a terminal or a log: aligned columns, as many metrics as the width takes. */

import stringWidth from "string-width";
import type { Run } from "../results/run.ts";
import { byCondition, summarise, type Summary, type SummaryRow, withoutEmpty } from "../results/summary.ts";
import { banners, refusals } from "./caption.ts";
import { visible } from "./escape.ts";
import { cellText, metricHeading } from "./format.ts";

/**
 * A run as text of at most `width` columns (more only where names and the leading metric need it). What has not finished is
 * shown as `…`; metrics that do not fit are left to `table.md`. Scores under other conditions follow once all is there.
 */
export function terminalTable(run: Run, width = 110): string {
  const [own, ...conditions] = byCondition(withoutEmpty(summarise(run)));
  const isWhole = own.summary.rows.every(({ planned, records }) => records.length === planned);
  return [
    ...[...banners(run), ...refusals(run)].map((banner) => `! ${visible(banner)}`),
    ...linesOf(own.summary, width),
    ...(isWhole ? conditions : []).flatMap(({ condition, summary }) => [
      "",
      `Measured ${visible(condition!)}:`,
      ...linesOf(summary, width),
    ]),
  ].join("\n");
}

function linesOf(summary: Summary, width: number): string[] {
  const columns = chosen(columnsOf(summary), width);
  const height = summary.rows.length + 1;
  const lines = Array.from(
    { length: height },
    (_, row) => columns.map((column) => column[row]).join("  ").trimEnd(),
  );
  const rule = "─".repeat(Math.max(...lines.map((line) => stringWidth(line))));
  return [lines[0], rule, ...lines.slice(1)];
}

/** Each column as its lines, padded to one width: row names, metrics, how the seeds ended. */
function columnsOf({ metrics, rows }: Summary): string[][] {
  const names = ["method", ...rows.map(({ head }) => head.name)];
  const values = metrics.map((metric, index) => [
    metricHeading(metric, metrics),
    ...rows.map(({ cells, done, planned, records }) => {
      if (done === 0) return records.length < planned ? "…" : "–";
      const { mean, spread } = cellText(cells[index]);
      return spread === "" ? mean : `${mean} ± ${spread}`;
    }),
  ]);
  const ends = ["seeds", ...rows.map(ending)];
  return [padded(names, "left"), ...values.map((column) => padded(column, "right")), padded(ends, "left")];
}

/** How the row's jobs stand, in few characters: `2/3, 1 diverged`. */
function ending({ head, records, planned, done }: SummaryRow): string {
  const parts = head.trains ? [`${done}/${planned}`] : [];
  for (const kind of ["diverged", "failed"] as const) {
    const count = records.filter(({ state }) => state.kind === kind).length;
    if (count > 0) parts.push(head.trains ? `${count} ${kind}` : kind);
  }
  return parts.join(", ");
}

/** The first column, the last, and between them the leading metric and as many others as fit. */
function chosen(columns: readonly string[][], width: number): string[][] {
  const [names, ...rest] = columns;
  const ends = rest.pop()!;
  const taken = [names];
  let used = stringWidth(names[0]) + 2 + stringWidth(ends[0]);
  for (const column of rest) {
    used += 2 + stringWidth(column[0]);
    if (used > width && taken.length > 1) break;
    taken.push(column);
  }
  return [...taken, ends];
}

function padded(lines: readonly string[], side: "left" | "right"): string[] {
  const safe = lines.map(visible);
  const width = Math.max(...safe.map((line) => stringWidth(line)));
  return safe.map((line) => {
    const space = " ".repeat(width - stringWidth(line));
    return side === "left" ? line + space : space + line;
  });
}
