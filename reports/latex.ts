/**
 * `table.tex`, a fragment for a paper, and `table-standalone.tex`, which pdfLaTeX compiles as it is.
 *
 * Needs the packages booktabs and graphicx (which shrinks a table only where it is wider than the line). Many metrics are
 * several tables, of which the first has the caption, notes and banners. Means and
 * spreads are columns of their own, so that decimals stand below each other. Banners stand below the table, notes in
 * the text after it. Lines of costs end in `% cost`.
 */

import type { MetricHead, Run } from "../results/run.ts";
import {
  byCondition,
  type Cell,
  costMetrics,
  sizeMetrics,
  type Summary,
  type SummaryRow,
  withoutEmpty,
} from "../results/summary.ts";
import { banners, caption, notes, refusals } from "./caption.ts";
import { latexText } from "./escape.ts";
import { cellText, metricHeading, outcome } from "./format.ts";
import { type Mark, marksOf } from "./marks.ts";
import { sentence } from "./words.ts";

// More columns than these would have to be shrunk until nobody can read them.
const mostColumns = 7;

/** The fragment: the table of scores, the notes on it, and a table of costs. */
export function latexFragment(run: Run, summary: Summary): string {
  const { file } = run;
  const { metrics, rows } = withoutEmpty(summary);
  const label = `${file.benchmark}-${file.profile}`.replace(/[^A-Za-z0-9-]+/g, "-");
  const told = rows.some((row) => outcome(row) !== "");
  const [own, ...conditions] = byCondition(withoutEmpty(summary));
  const all = [...own.summary.metrics, ...sizeMetrics];
  const markOf = marksOf(summary);
  const blocks = Array.from({ length: Math.ceil(all.length / mostColumns) }, (_, block) => {
    const [from, to] = [0, 1].map((next) =>
      Math.round((block + next) * all.length / Math.ceil(all.length / mostColumns))
    );
    return {
      caption: `${file.title}: further metrics.`,
      lines: tabular(
        all.slice(from, to),
        metrics,
        own.summary.rows.map((row) => ({ row, cells: [...row.cells, ...row.sizes].slice(from, to) })),
        { last: told && to === all.length ? "seeds" : undefined, end: "", markOf },
      ),
    };
  });
  for (const { condition, summary: { metrics, rows } } of conditions) {
    blocks.push({
      caption: `${file.title}: measured ${condition}.`,
      lines: tabular(metrics, metrics, rows.map((row) => ({ row, cells: row.cells })), { end: "", markOf }),
    });
  }
  const costs = tabular(costMetrics, metrics, rows.map((row) => ({ row, cells: row.costs })), {
    end: " % cost",
    markOf: () => undefined,
  });
  return [
    "% Needs \\usepackage{booktabs} and \\usepackage{graphicx}.",
    ...blocks.flatMap(({ caption: text, lines }, block) => [
      "\\begin{table}[htbp]",
      "\\centering",
      block === 0
        ? `\\caption{\\textbf{${latexText(sentence(file.title))}} ${
          caption(run, summary).map(latexText).join("\n  ")
        }}`
        : `\\caption{${latexText(text)}}`,
      `\\label{tab:${label}${block === 0 ? "" : `-${block + 1}`}}`,
      ...fitted(lines),
      ...(block === 0 ? below(banners(run)) : []),
      "\\end{table}",
      "",
    ]),
    ...notesOn(label, [...refusals(run), ...notes(run, summary)]),
    "\\begin{table}[htbp]",
    "\\centering",
    `\\caption{${latexText(file.title)}: costs, which alone may differ between two identical runs.}`,
    `\\label{tab:${label}-costs}`,
    ...fitted(costs),
    "\\end{table}",
    "",
  ].join("\n");
}

/** The fragment in a document. */
export function latexDocument(run: Run, summary: Summary): string {
  return [
    "\\documentclass{article}",
    "\\usepackage[a4paper,landscape,margin=2cm]{geometry}",
    "\\usepackage{booktabs}",
    "\\usepackage{graphicx}",
    "\\begin{document}",
    latexFragment(run, summary) + "\\end{document}",
    "",
  ].join("\n");
}

interface Options {
  /** Heading of a last column that tells how the seeds ended. */
  readonly last?: string;
  /** What every line of numbers ends in. */
  readonly end: string;
  /** Which cells are marked. */
  readonly markOf: ReturnType<typeof marksOf>;
}

function tabular(
  metrics: readonly MetricHead[],
  all: readonly MetricHead[],
  rows: readonly { row: SummaryRow; cells: readonly Cell[] }[],
  { last, end, markOf }: Options,
): string[] {
  const head = ["method", ...metrics.map((metric) => twoColumns(latexText(metricHeading(metric, all))))];
  if (last !== undefined) head.push(last);
  const columns = `l${metrics.map(() => "r@{}l").join("")}${last === undefined ? "" : "l"}`;
  return [
    `\\begin{tabular}{${columns}}`,
    "\\toprule",
    `${head.join(" & ")} \\\\`,
    "\\midrule",
    ...rows.map(({ row, cells }) => {
      const line = [latexText(row.head.name), ...cells.map((cell) => cellColumns(cell, markOf(row, cell)))];
      if (last !== undefined) line.push(latexText(outcome(row)));
      return `${line.join(" & ")} \\\\${end}`;
    }),
    "\\bottomrule",
    "\\end{tabular}",
  ];
}

function twoColumns(text: string): string {
  return `\\multicolumn{2}{c}{${text}}`;
}

function cellColumns(cell: Cell, mark: Mark): string {
  const { mean, spread } = cellText(cell);
  if (cell.mean === null) return twoColumns(latexText(mean));
  const value = number(mean, mark);
  return spread === "" ? `${value} & ` : `${value} & $\\,\\pm\\,${power(spread)}$`;
}

function number(text: string, mark: Mark): string {
  if (text === "∞" || text === "-∞") return `$${text.replace("∞", "\\infty")}$`;
  const [value, prefix] = text.split(" ");
  if (mark === "best") return `$\\mathbf{${power(value)}}$`;
  if (mark === "second") return `\\underline{$${power(value)}$}`;
  return prefix === undefined ? `$${power(value)}$` : `$${value}$\\,${prefix}`;
}

/** `3.1e-8` as 3.1·10⁻⁸. */
function power(text: string): string {
  return text.replace(/e\+?(-?\d+)$/, "{\\cdot}10^{$1}");
}

/** Shrinks a table that is wider than the line, and no other. */
function fitted(lines: readonly string[]): string[] {
  return [
    "\\medskip",
    "",
    "\\resizebox{\\ifdim\\width>\\linewidth\\linewidth\\else\\width\\fi}{!}{%",
    ...lines,
    "}",
  ];
}

/** What must not be parted from a table: lines below it, within its float. */
function below(lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  return [
    "",
    "\\medskip",
    "\\parbox{\\linewidth}{\\footnotesize\\raggedright",
    ...lines.map((line) => `\\textbf{${latexText(line)}}\\par`),
    "}",
  ];
}

/** Notes as ordinary text after the table: neither a caption nor a float may be longer than a page, and notes may. */
function notesOn(label: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return [];
  return [
    "{\\footnotesize\\raggedright",
    `\\noindent\\textbf{Notes on Table~\\ref{tab:${label}}.}`,
    ...lines.map(latexText),
    "\\par}",
    "",
  ];
}
