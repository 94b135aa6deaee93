/** The plot of scores by row and seed: quartiles, median, mean, and the scores themselves. */

import * as Plot from "@observablehq/plot";
import { quantile } from "../../results/interval.ts";
import { decodeValue } from "../../results/record.ts";
import type { MetricHead } from "../../results/run.ts";
import { isOf, type Summary, type SummaryRow } from "../../results/summary.ts";
import { visible } from "../escape.ts";
import { metricHeading, metricName } from "../format.ts";
import {
  ascending,
  common,
  cut,
  drawn,
  type Look,
  meanOf,
  seedsApart,
  strokeOf,
  ticks,
  widest,
} from "./plot.ts";

const dotsALine = 60;

/** A line of the plot of scores. */
interface Line {
  /** Its row's place in the table. */
  readonly place: number;
  readonly label: string;
  readonly values: readonly number[];
  readonly mean: number | null;
}

/**
 * The scores of each row under a metric: a line a seed with a dot for each sample (or subject, where that is scored); of
 * more than six seeds one line with a dot for each. The box has the quartiles, the tick the median, the rule all
 * values, and the diamond is the score that enters the table. Undefined where no score is finite.
 */
export function scoresPlot(summary: Summary, metric: MetricHead, look: Look): string | undefined {
  const groups = summary.rows.map((row, place) => linesOf(row, place, metric)).filter(({ length }) =>
    length > 0
  );
  if (groups.length === 0) return undefined;
  const room = Math.floor(look.width / (1.5 * look.fontSize));
  const names = groups.map(([{ place }]) => cut(visible(summary.rows[place].head.name), room));
  // Lines are one apart, and rows a little more.
  let next = 0.5;
  const lines = groups.flatMap((group) => {
    const placed = group.map((line) => ({ ...line, y: next++ }));
    next += 0.8;
    return placed;
  });
  const boxes = lines.map(({ place, y, values, mean }) => {
    const sorted = ascending(values);
    const at = (share: number) => quantile(sorted, share);
    const { colour } = strokeOf(place);
    const box = { least: at(0), low: at(0.25), median: at(0.5), high: at(0.75), greatest: at(1) };
    return { y, colour, mean, ...box };
  });
  const dots = lines.flatMap(({ place, y, values }) =>
    thinned(values).map((value) => ({ y, value, colour: strokeOf(place).colour }))
  );
  const { fontSize, ink } = look;
  const beside = { fontSize, fill: ink, frameAnchor: "left" } as const;
  const height = Math.max(...lines.map(({ y }) => y)) + 0.6;
  return drawn({
    ...common(look),
    height: height * 1.35 * fontSize + 4.2 * fontSize,
    marginLeft: widest(names, fontSize) + fontSize,
    marginRight: widest(lines.map(({ label }) => label), fontSize) + fontSize,
    marginTop: fontSize / 2,
    marginBottom: 3.6 * fontSize,
    ariaLabel: `${metricName(metric)} of each row: quartiles, median, mean and scores`,
    x: {
      label: metricHeading(metric, summary.metrics),
      grid: true,
      nice: true,
      labelAnchor: "center",
      labelArrow: "none",
      ticks: look.width / (8 * fontSize),
      ...ticks(look),
    },
    y: { axis: null, domain: [0, height], reverse: true },
    marks: [
      Plot.text(groups.map((_, index) => index), {
        ...beside,
        y: (index: number) =>
          meanOf(lines.filter(({ place }) => place === groups[index][0].place).map(({ y }) => y)),
        text: (index: number) => names[index],
        textAnchor: "end",
        dx: -fontSize / 2,
      }),
      Plot.text(lines, {
        ...beside,
        y: "y",
        text: "label",
        frameAnchor: "right",
        textAnchor: "start",
        dx: fontSize / 2,
      }),
      Plot.rect(boxes, {
        x1: "low",
        x2: "high",
        y1: ({ y }) => y - 0.36,
        y2: ({ y }) => y + 0.36,
        fill: "colour",
        fillOpacity: 0.35,
      }),
      Plot.ruleY(boxes, { y: "y", x1: "least", x2: "greatest", stroke: "colour" }),
      Plot.dot(dots, { y: "y", x: "value", r: fontSize / 7, fill: "colour", fillOpacity: 0.6 }),
      Plot.ruleX(boxes, {
        x: "median",
        y1: ({ y }) => y - 0.36,
        y2: ({ y }) => y + 0.36,
        stroke: ink,
        strokeWidth: fontSize / 8,
      }),
      Plot.dot(boxes.filter(({ mean }) => mean !== null && Number.isFinite(mean)), {
        y: "y",
        x: "mean",
        symbol: "diamond",
        r: fontSize / 3.4,
        stroke: ink,
        strokeWidth: fontSize / 10,
      }),
    ],
    color: { type: "identity" },
  }, look);
}

function linesOf({ records, cells }: SummaryRow, place: number, metric: MetricHead): Line[] {
  const { perSeed } = cells.find((cell) => cell.metric === metric)!;
  if (perSeed.length > seedsApart) {
    const values = finite(perSeed);
    return values.length === 0
      ? []
      : [{ place, label: `${perSeed.length} seeds`, values, mean: meanOf(values) }];
  }
  return records.filter(({ state }) => state.kind === "done").map(({ seed, scores }, index) => {
    const own = scores.filter((score) => isOf(score, metric));
    return {
      place,
      label: seed === null ? "" : `seed ${seed}`,
      values: finite(own.map(({ value }) => decodeValue(value))),
      mean: perSeed[index],
    };
  }).filter(({ values }) => values.length > 0);
}

/** At most so many of the values, at evenly spaced ranks, the least and the greatest among them. */
function thinned(values: readonly number[]): number[] {
  const sorted = ascending(values);
  if (sorted.length <= dotsALine) return sorted;
  return Array.from(
    { length: dotsALine },
    (_, i) => sorted[Math.round(i * (sorted.length - 1) / (dotsALine - 1))],
  );
}

function finite(values: readonly (number | null)[]): number[] {
  return values.filter((value): value is number => value !== null && Number.isFinite(value));
}
