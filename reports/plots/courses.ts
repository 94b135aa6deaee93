/** Plots of the course of training: what records followed, by generator update. */

import * as Plot from "@observablehq/plot";
import type { ResultRecord } from "../../results/record.ts";
import type { Summary } from "../../results/summary.ts";
import { visible } from "../escape.ts";
import { ascending, common, drawn, type Look, meanOf, seedsApart, strokeOf, ticks } from "./plot.ts";

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
