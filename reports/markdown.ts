/**
 * `table.md`: the table, and all that its reader has to know.
 *
 * Costs stand in a table of their own whose every line ends in a comment, so that {@linkcode withoutCosts} can compare two
 * runs byte by byte.
 */

import stringWidth from "string-width";
import type { Run } from "../results/run.ts";
import {
  byCondition,
  type Cell,
  costMetrics,
  sizeMetrics,
  type Summary,
  withoutEmpty,
} from "../results/summary.ts";
import { banners, caption, metricLines, notes, refusals, rowLines } from "./caption.ts";
import { markdownText } from "./escape.ts";
import { cellText, metricHeading, outcome } from "./format.ts";
import { type Mark, marksOf } from "./marks.ts";
import { panelsOf } from "./pictures.ts";
import { ablationLines, openLines, verdictCount, verdictLines, verdictNote } from "./verdict_words.ts";
import { judge } from "./verdicts.ts";

const costMark = "<!-- cost -->";

/** The run as Markdown. */
export function markdownTable(run: Run, summary: Summary): string {
  const { metrics, rows } = withoutEmpty(summary);
  const markOf = marksOf(summary);
  const [own, ...conditions] = byCondition(withoutEmpty(summary));
  const main = scores(own.summary, markOf, true);
  const costs = [
    row(["method", ...costMetrics.map((metric) => metricHeading(metric, metrics))].map(markdownText)),
    row(["---", ...costMetrics.map(() => "---:")]),
    ...rows.map(({ head, costs }) => `${row([head.name, ...costs.map(text)].map(markdownText))} ${costMark}`),
  ];
  const pictures = panelsOf(run, summary);
  const said = notes(run, summary);
  const verdicts = judge(run, summary);
  const blocks = [
    [`# ${markdownText(run.file.title)}`],
    ...[...banners(run), ...refusals(run)].map((banner) => [`> **${markdownText(banner)}**`]),
    main,
    ...conditions.flatMap(({ condition, summary }) => [
      [`Measured ${markdownText(condition!)}:`],
      scores(summary, markOf, false),
    ]),
    caption(run, summary).map((line) => markdownText(line)),
    ...(verdicts.length === 0 ? [] : [
      ["## Verdicts"],
      [verdictCount(verdicts), verdictNote(verdicts)].filter(Boolean).map(markdownText),
      items(verdictLines(verdicts)),
      [...openLines(verdicts), ...ablationLines(verdicts)].map((line) => `- ${markdownText(line)}`),
    ].filter((lines) => lines.length > 0)),
    ...(said.length === 0 ? [] : [["## Notes"], said.map((note) => `- ${markdownText(note)}`)]),
    ...(pictures.length === 0 ? [] : [
      ["## Pictures"],
      ...pictures.map(({ file, subject, sample }) => [
        `![${markdownText(`${subject}, ${sample}`)}](panels/${file})`,
      ]),
    ]),
    ["## Metrics"],
    items(metricLines(metrics)),
    ["## Rows"],
    items(rowLines(summary)),
    ["## Costs"],
    ["These alone may differ between two identical runs."],
    costs,
  ];
  return blocks.map((lines) => lines.join("\n") + "\n").join("\n");
}

/**
 * A table or list of scores without its cost lines, whichever of the files it is: what two identical runs have in
 * common to the byte.
 */
export function withoutCosts(text: string): string {
  const isCost = /<!-- cost -->$|(?<!\\)% cost$|,cost,(s|1\/s|ms|MB),[^,]*(,[^,]*,\d+)?$/;
  return text.split("\n").filter((line) => !isCost.test(line)).join("\n");
}

function scores({ metrics, rows }: Summary, markOf: ReturnType<typeof marksOf>, areMain: boolean): string[] {
  const shown = areMain ? [...metrics, ...sizeMetrics] : metrics;
  return aligned(
    ["method", ...shown.map((metric) => metricHeading(metric, metrics)), ...areMain ? ["seeds"] : []].map(
      markdownText,
    ),
    rows.map((row) => [
      markdownText(row.head.name),
      ...row.cells.map((cell) => marked(markdownText(text(cell)), markOf(row, cell))),
      ...areMain ? [...row.sizes.map((cell) => markdownText(text(cell))), markdownText(outcome(row))] : [],
    ]),
    areMain,
  );
}

function text(cell: Cell): string {
  const { mean, spread } = cellText(cell);
  return spread === "" ? mean : `${mean} ± ${spread}`;
}

function marked(text: string, mark: Mark): string {
  return mark === "best" ? `**${text}**` : mark === "second" ? `<ins>${text}</ins>` : text;
}

function items(lines: readonly { heading: string; text: string }[]): string[] {
  return lines.map(({ heading, text }) => `- **${markdownText(heading)}**: ${markdownText(text)}`);
}

function row(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** A table whose columns also line up where the Markdown is read as it is; numbers to the right, text to the left. */
function aligned(
  head: readonly string[],
  body: readonly (readonly string[])[],
  lastIsText: boolean,
): string[] {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...body].map((r) => stringWidth(r[column]))));
  const isText = (column: number) => column === 0 || (lastIsText && column === head.length - 1);
  const pad = (cells: readonly string[]) =>
    row(cells.map((cell, column) => {
      const space = " ".repeat(widths[column] - stringWidth(cell));
      return isText(column) ? cell + space : space + cell;
    }));
  const rule = widths.map((width, column) =>
    isText(column) ? "-".repeat(width) : "-".repeat(width - 1) + ":"
  );
  return [pad(head), row(rule), ...body.map(pad)];
}
