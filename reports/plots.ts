/**
 * Plots of a table: scores of samples by row and seed, and the course of training.
 *
 * Each is SVG text by Observable Plot, the same bytes for the same records. No plot holds more marks than people can
 * see: of many samples evenly spaced ranks are drawn, of many seeds their mean and range, and quartiles are of all.
 */

import * as Plot from "@observablehq/plot";
import { schemeObservable10 } from "d3-scale-chromatic";
import { JSDOM } from "jsdom";
import { type Curve, decodeValue, type ResultRecord } from "../results/record.ts";
import type { MetricHead } from "../results/run.ts";
import { isOf, type Summary, type SummaryRow } from "../results/summary.ts";
import { visible } from "./escape.ts";
import { metricHeading, metricName } from "./format.ts";

/** How a plot is set: for a page, whose style gives colours and fonts, or for print. */
export interface Look {
  /** In px; a figure's are points. */
  readonly width: number;
  readonly fontSize: number;
  readonly fontFamily: string;
  /** Of axes and text. */
  readonly ink: string;
}

/** How a page shows plots: its style sheet decides on colours and fonts. */
export function pageLook(width: number): Look {
  return { width, fontSize: 12, fontFamily: "inherit", ink: "currentColor" };
}

/** How a row is told from others: by colour, and by dashes where colours are not seen. */
export interface Stroke {
  readonly colour: string;
  readonly dashes: string;
}

const dashes = ["none", "6 2", "2 2", "8 2 2 2", "4 4"];

/** The row's stroke, by its place in the table; colours are of the library's scale for categories. */
export function strokeOf(place: number): Stroke {
  const colours = schemeObservable10;
  return {
    colour: colours[place % colours.length],
    dashes: dashes[(place + Math.floor(place / colours.length)) % dashes.length],
  };
}

const seedsApart = 6;
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

/** What records followed in training, as the logs name it: the validation score first, losses last. */
export function quantitiesOf({ rows, metrics }: Summary): string[] {
  const all = new Set(
    rows.flatMap(({ records }) =>
      records.flatMap(({ log }) => log.flatMap(({ values }) => Object.keys(values)))
    ),
  );
  const rank = (name: string) => {
    const place = metrics.findIndex(({ id }) => id === name);
    return name.startsWith("validation-") ? -1 : place < 0 ? metrics.length : place;
  };
  return [...all].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

/** The course of one quantity: a line a seed, of more than six the mean within its range; undefined without values. */
export function coursePlot(summary: Summary, quantity: string, look: Look): string | undefined {
  const { fontSize, width } = look;
  const courses = summary.rows.map(({ records }, place) => ({
    stroke: strokeOf(place),
    ...courseOf(records, quantity),
  }));
  const values = courses.flatMap(({ points, band }) => [
    ...points.map(({ value }) => value),
    ...band.flatMap(({ low, high }) => [low, high]),
  ]);
  if (values.length === 0) return undefined;
  const [least, greatest] = [
    values.reduce((a, b) => Math.min(a, b)),
    values.reduce((a, b) => Math.max(a, b)),
  ];
  return drawn({
    ...common(look),
    height: 0.62 * width,
    marginLeft: 4.6 * fontSize,
    marginRight: 1.6 * fontSize,
    marginTop: 2.2 * fontSize,
    marginBottom: 3.6 * fontSize,
    ariaLabel: `${visible(quantity)} in the course of training`,
    x: {
      label: "generator updates",
      labelAnchor: "center",
      labelArrow: "none",
      ticks: 3,
      tickFormat: "~s",
      ...ticks(look),
    },
    y: {
      label: visible(quantity),
      labelArrow: "none",
      grid: true,
      ticks: 5,
      ...ticks(look),
      ...(least > 0 && greatest / least > 100 ? { type: "log" as const, tickFormat: "~g" } : { nice: true }),
    },
    marks: courses.flatMap(({ stroke: { colour, dashes }, points, band }) => [
      Plot.areaY(band, { x: "update", y1: "low", y2: "high", fill: colour, fillOpacity: 0.2 }),
      Plot.line(points, {
        x: "update",
        y: "value",
        z: "seed",
        stroke: colour,
        strokeWidth: fontSize / 9,
        strokeDasharray: dashes,
      }),
      // A course of one point is no line.
      Plot.dot(points.filter(({ alone }) => alone), {
        x: "update",
        y: "value",
        fill: colour,
        r: fontSize / 4,
      }),
    ]),
  }, look);
}

/** Curves of one name and sample, of each row the first seed that has one. */
export interface Curves {
  readonly name: string;
  readonly subject: string;
  readonly sample: string;
  /** With each row's place in the table. */
  readonly curves: readonly { readonly place: number; readonly curve: Curve }[];
}

/** The curves that records have, by name and sample, in the order in which rows name them. */
export function curvesOf({ rows }: Summary): Curves[] {
  const all = rows.flatMap(({ records }, place) => {
    const seen = new Set<string>();
    return records.flatMap(({ curves = [] }) => curves).flatMap((curve) => {
      const key = JSON.stringify([curve.name, curve.subject, curve.sample]);
      if (seen.has(key)) return [];
      seen.add(key);
      return [{ key, place, curve }];
    });
  });
  return [...Map.groupBy(all, ({ key }) => key).values()].map((curves) => {
    const [{ curve: { name, subject, sample } }] = curves;
    return { name, subject, sample, curves };
  });
}

/** Curves of one name and sample, and what they are held against. */
export function curvesPlot({ name, subject, sample, curves }: Curves, look: Look): string {
  const { fontSize, width, ink } = look;
  const points = ({ x }: Curve, y: readonly number[]) => y.map((value, index) => ({ x: x[index], y: value }));
  const limits = [...new Map(curves.map(({ curve }) => [curve.limit?.label, curve])).values()];
  const [{ curve: { axes } }] = curves;
  return drawn({
    ...common(look),
    height: 0.62 * width,
    marginLeft: 4.6 * fontSize,
    marginRight: 1.6 * fontSize,
    marginTop: 2.2 * fontSize,
    marginBottom: 3.6 * fontSize,
    ariaLabel: visible(`${name} of ${subject}, ${sample}`),
    x: { label: visible(axes.x), labelAnchor: "center", labelArrow: "none", ticks: 4, ...ticks(look) },
    y: { label: visible(axes.y), labelArrow: "none", grid: true, ticks: 5, ...ticks(look) },
    marks: [
      ...curves.map(({ place, curve }) => {
        const { colour, dashes } = strokeOf(place);
        const line = { stroke: colour, strokeWidth: fontSize / 9, strokeDasharray: dashes };
        return Plot.line(points(curve, curve.y), { x: "x", y: "y", ...line });
      }),
      ...limits.flatMap((curve) => {
        if (curve.limit === undefined) return [];
        const line = points(curve, curve.limit.y);
        const label = visible(curve.limit.label);
        return [
          Plot.line(line, {
            x: "x",
            y: "y",
            stroke: ink,
            strokeWidth: fontSize / 12,
            strokeDasharray: "1 2",
          }),
          Plot.text(line.slice(-1), {
            x: "x",
            y: "y",
            text: () => label,
            textAnchor: "end",
            dy: -fontSize / 2,
            fill: ink,
          }),
        ];
      }),
    ],
  }, look);
}

interface Point {
  readonly seed: number;
  readonly update: number;
  readonly value: number;
  readonly alone: boolean;
}

function courseOf(records: readonly ResultRecord[], quantity: string) {
  const logs = records.map(({ seed, log }) =>
    log.flatMap(({ update, values }) =>
      Number.isFinite(values[quantity]) ? [{ seed: seed ?? 0, update, value: values[quantity] }] : []
    )
  ).filter((log) => log.length > 0);
  if (logs.length <= seedsApart) {
    return {
      points: logs.flatMap((log): Point[] => log.map((point) => ({ ...point, alone: log.length === 1 }))),
      band: [],
    };
  }
  const updates = [...Map.groupBy(logs.flat(), ({ update }) => update)].sort(([a], [b]) => a - b);
  return {
    points: updates.map(([update, group]): Point => ({
      seed: 0,
      update,
      value: meanOf(group.map(({ value }) => value))!,
      alone: updates.length === 1,
    })),
    band: updates.map(([update, group]) => {
      const sorted = ascending(group.map(({ value }) => value));
      return { update, low: sorted[0], high: sorted.at(-1)! };
    }),
  };
}

function ticks({ fontSize }: Look) {
  return { tickSize: fontSize / 3, tickPadding: fontSize / 4 };
}

function common({ width, fontSize, fontFamily, ink }: Look) {
  return {
    width,
    className: "plot",
    style: { fontSize: `${fontSize}px`, fontFamily, color: ink, background: "none" },
  };
}

/** A name that leaves room for what is plotted beside it. */
function cut(name: string, most: number): string {
  const characters = [...name];
  return characters.length <= most ? name : `${characters.slice(0, most - 1).join("")}…`;
}

// Room for text whose font is not known here: most letters are narrower than this.
function widest(texts: readonly string[], fontSize: number): number {
  return 0.6 * fontSize * Math.max(...texts.map((text) => [...text].length));
}

let page: JSDOM["window"] | undefined;

function drawn(options: Plot.PlotOptions, { fontSize }: Look): string {
  page ??= new JSDOM("").window;
  const svg = Plot.plot({ ...options, document: page.document });
  // Its style sheet is for pages of one plot.
  svg.querySelector("style")?.remove();
  svg.setAttribute("role", "img");
  svg.setAttribute("stroke-width", String(fontSize / 12));
  return new page.XMLSerializer().serializeToString(svg);
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

function ascending(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

/** The quantile of ascending values, with linear interpolation between ranks. */
function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

function finite(values: readonly (number | null)[]): number[] {
  return values.filter((value): value is number => value !== null && Number.isFinite(value));
}

function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
