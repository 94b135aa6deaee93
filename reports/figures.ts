/**
 * Figures for papers: scores, training and pictures of a table, at the widths of a journal's columns.
 *
 * Each is an SVG whose sizes are points and whose font is within it, and a PDF of the same, which embeds the font, too.
 */

import type { Run } from "../results/run.ts";
import type { Summary } from "../results/summary.ts";
import { rampPng, type Scale } from "./colour.ts";
import { xmlText } from "./escape.ts";
import { shortNumber } from "./format.ts";
import { fittingText, framesOf, type Tile, type Tiles, tilesOf } from "./panels.ts";
import { panelsOf } from "./pictures.ts";
import { coursePlot, quantitiesOf } from "./plots/courses.ts";
import { type Look, strokeOf } from "./plots/plot.ts";
import { scoresPlot } from "./plots/scores.ts";
import { fontFamily } from "./typeset.ts";

/** A figure, before it is typeset. */
export interface Figure {
  /** Without its ending, e.g. `scores-88mm`. */
  readonly name: string;
  /** In millimetres. */
  readonly width: number;
  /** SVG of one point a unit, without a font. */
  readonly svg: string;
}

/** One and two columns of a journal, in millimetres. */
export const columnWidths = [88, 180] as const;

const points = 72 / 25.4;
const fontSize = 7;
// A printed picture's, at least: PDF readers smooth what has fewer.
const printedPixels = 320;
// Smaller than this nobody reads.
const least = 5;
const ink = "#000000";

/** The figures of a table: nothing is drawn of what it has no records of. */
export async function* figuresOf(run: Run, summary: Summary): AsyncGenerator<Figure> {
  const panels: { name: string; tiles: Tiles }[] = [];
  for (const panel of panelsOf(run, summary)) {
    const name = `pictures-${panel.file.replace(/\.png$/, "")}`;
    panels.push({ name, tiles: tilesOf(panel, await framesOf(panel), printedPixels) });
  }
  for (const width of columnWidths) {
    const look: Look = { width: width * points, fontSize, fontFamily, ink };
    const scores = summary.metrics.length === 0 ? undefined : scoresPlot(summary, summary.metrics[0], look);
    if (scores !== undefined) yield { name: `scores-${width}mm`, width, svg: plain(scores) };
    const training = trainingFigure(summary, look);
    if (training !== undefined) yield { name: `training-${width}mm`, width, svg: training };
    for (const { name, tiles } of panels) {
      yield { name: `${name}-${width}mm`, width, svg: picturesFigure(tiles, look.width) };
    }
  }
}

/** The first quantities that were followed, two in a column: validation score, certificate, … */
function trainingFigure(summary: Summary, look: Look): string | undefined {
  const columns = look.width < 300 ? 1 : 3;
  const gap = fontSize;
  const width = (look.width - (columns - 1) * gap) / columns;
  const plots = quantitiesOf(summary).slice(0, 2 * columns).flatMap((quantity) =>
    coursePlot(summary, quantity, { ...look, width }) ?? []
  );
  if (plots.length === 0) return undefined;
  const height = Math.max(...plots.map(heightOf));
  const rows = Math.ceil(plots.length / columns);
  const keys = legend(summary, look.width, rows * height + fontSize);
  const body = plots.map((svg, index) => {
    const [x, y] = [(index % columns) * (width + gap), Math.floor(index / columns) * height];
    return plain(svg).replace("<svg ", `<svg x="${x}" y="${y}" `);
  });
  return svgOf(look.width, rows * height + fontSize + keys.height, [...body, keys.svg]);
}

function legend({ rows }: Summary, width: number, top: number): { svg: string; height: number } {
  const line = 1.5 * fontSize;
  let [x, y] = [0, top];
  const keys = rows.flatMap(({ head, records }, place) => {
    if (!records.some(({ log }) => log.length > 0)) return [];
    const { colour, dashes } = strokeOf(place);
    const room = Math.min(width, 22 + 0.62 * fontSize * [...head.name].length + fontSize);
    if (x > 0 && x + room > width) [x, y] = [0, y + line];
    const key = `<line x1="${x}" x2="${x + 18}" y1="${y}" y2="${y}" stroke="${colour}" stroke-width="1.4"` +
      (dashes === "none" ? "" : ` stroke-dasharray="${dashes}"`) + "/>" +
      fittingText(head.name, x + 22, y + 0.35 * fontSize, fontSize, ink, room - 22, least);
    x += room;
    return [key];
  });
  return { svg: keys.join(""), height: y - top + line };
}

/** Pictures above their error maps, with both scales below. */
function picturesFigure({ tiles, grey, heat, hasTruth, size }: Tiles, width: number): string {
  const columns = Math.min(tiles.length, width < 300 ? 3 : 6);
  const gap = 3;
  const side = (width - (columns - 1) * gap) / columns;
  const height = side * size.height / size.width;
  const label = 2.6 * fontSize;
  const band = label + height + (hasTruth ? gap + height : 0) + 1.5 * gap;
  const rows = Math.ceil(tiles.length / columns);
  const body = tiles.map((tile, index) => {
    const [x, y] = [(index % columns) * (side + gap), Math.floor(index / columns) * band];
    return tileSvg(tile, x, y, { side, height, label, gap });
  });
  const foot = rows * band + fontSize;
  return svgOf(width, foot + 1.2 * fontSize, [
    ...body,
    ramp("image", grey, 0, foot),
    hasTruth ? ramp("|error|", heat, Math.min(width / 2, 140), foot) : "",
  ]);
}

interface Place {
  readonly side: number;
  readonly height: number;
  readonly label: number;
  readonly gap: number;
}

function tileSvg(
  { label: name, detail, values, image, error }: Tile,
  x: number,
  y: number,
  place: Place,
): string {
  const { side, height, label, gap } = place;
  const picture = (href: string, top: number) =>
    `<image x="${x}" y="${top}" width="${side}" height="${height}" preserveAspectRatio="xMidYMid meet" ` +
    `image-rendering="optimizeSpeed" xlink:href="${href}"/>`;
  return [
    fittingText(name, x, y + fontSize, fontSize, ink, side, least),
    fittingText(detail, x, y + 2.1 * fontSize, 6, ink, side, least),
    image === undefined
      ? `<rect x="${x}" y="${y + label}" width="${side}" height="${height}" fill="none" stroke="#777777" ` +
        `stroke-width="0.5" stroke-dasharray="2 2"/>` +
        fittingText(String(values), x + 3, y + label + height / 2, 6, ink, side - 6, least)
      : picture(image, y + label),
    error === undefined ? "" : picture(error, y + label + height + gap),
  ].join("");
}

function ramp(name: string, scale: Scale, x: number, y: number): string {
  const [from, to] = [shortNumber(scale.from), shortNumber(scale.to)];
  const at = x + 0.62 * fontSize * (name.length + from.length + 2);
  const href = rampPng(scale);
  return fittingText(`${name} ${from}`, x, y + 2, fontSize, ink, at - x, least) +
    `<image x="${at}" y="${y - 4}" width="48" height="6" preserveAspectRatio="none" xlink:href="${href}"/>` +
    fittingText(to, at + 51, y + 2, fontSize, ink, 60);
}

function svgOf(width: number, height: number, body: readonly string[]): string {
  const [w, h] = [width, height].map((value) => value.toFixed(2));
  return `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${w}" height="${h}" ` +
    `viewBox="0 0 ${w} ${h}" font-family="${xmlText(fontFamily)}">${body.join("\n")}</svg>`;
}

/** Plot's colours of the page, as print has them. */
function plain(svg: string): string {
  return svg.replaceAll("currentColor", ink);
}

function heightOf(svg: string): number {
  return Number(/ height="([\d.]+)"/.exec(svg)![1]);
}
