/** Plots of curves of test samples, such as Fourier ring correlations. */

import * as Plot from "@observablehq/plot";
import type { Curve } from "../../results/record.ts";
import type { Summary } from "../../results/summary.ts";
import { visible } from "../escape.ts";
import { common, drawn, type Look, strokeOf, ticks } from "./plot.ts";

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
