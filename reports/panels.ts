/**
 * Panels: for one test sample the truth, the input and what each method made of it, and below each its error map, if
 * there is a truth.
 *
 * All images of a panel share one grey scale (their window, or the range of the truth) and all error maps one colour scale, both
 * printed. Pixels are enlarged without smoothing. A row without a picture gets an empty frame that says why. The panel
 * is laid out as SVG and drawn by resvg with a font of its own, so that it is the same on every machine.
 */

import { initWasm, Resvg } from "@resvg/resvg-wasm";
// Named here so that the font is fetched with the modules and is there without a network.
import "dejavu-fonts-ttf/package.json" with { type: "json" };
import type { Run } from "../results/run.ts";
import type { Summary } from "../results/summary.ts";
import { banners } from "./caption.ts";
import { barPng, colouredPng, errorScale, greyScale, type Scale } from "./colour.ts";
import { visible, xmlText } from "./escape.ts";
import { metricName, scoreText, shortNumber } from "./format.ts";
import {
  type Panel,
  panelsOf,
  type PlacedPicture,
  projection,
  rangeOf,
  readPicture,
  samePicture,
  type Values,
} from "./pictures.ts";

/** A panel as a file. */
export interface PanelFile {
  /** In the folder `panels/`. */
  readonly file: string;
  /** Its bytes. */
  readonly png: Uint8Array;
}

/** Draws the panels of a run, one after the other. */
export async function* drawPanels(run: Run, summary: Summary): AsyncGenerator<PanelFile> {
  for (const panel of panelsOf(run, summary)) {
    const svg = panelSvg(run, panel, await framesOf(panel));
    yield { file: panel.file, png: await rasterise(svg) };
  }
}

/** One place of a panel: a picture with its labels, or the reason why there is none. */
export interface Frame {
  /** Truth, input, or the row's name. */
  readonly label: string;
  /** A second, smaller line. */
  readonly detail: string;
  /** The picture, or why there is none. */
  readonly values: Values | string;
}

/** The frames of a panel. The input has one of its own only where no row shows the same picture. */
export async function framesOf(panel: Panel): Promise<Frame[]> {
  const read = async (picture: PlacedPicture) => {
    const values = await readPicture(picture.folder, picture);
    return typeof values === "string" ? `no picture: ${values}` : values;
  };
  const input = panel.input && await read(panel.input);
  let inputIsShown = false;
  const rows: Frame[] = [];
  for (const { name, seed, picture, score, absence } of panel.rows) {
    const values = picture === undefined ? absence : await read(picture);
    const isInput = typeof values === "object" && typeof input === "object" && samePicture(values, input);
    inputIsShown ||= isInput;
    const parts = [
      ...(score === undefined ? [] : [
        `${metricName(score.metric)} ${scoreText(score.metric, score.value)} ${score.metric.unit}`.trim(),
      ]),
      ...(seed === null ? [] : [`seed ${seed}`]),
      ...(isInput ? ["the input"] : []),
    ];
    rows.push({ label: name, detail: parts.join(", "), values });
  }
  const inputDetail = ["what networks see", panel.input && projection(panel.input)].filter(Boolean).join(
    ", ",
  );
  return [
    ...(panel.truth === undefined
      ? []
      : [{ label: "truth", detail: projection(panel.truth), values: await read(panel.truth) }]),
    ...(input === undefined || inputIsShown ? [] : [{ label: "input", detail: inputDetail, values: input }]),
    ...rows,
  ];
}

// Pixels of the finished picture.
const leastTile = 176;
const gap = 8;
const margin = 16;
const labelHeight = 38;
const barWidth = 92;
const lineHeight = 17;
const perBand = 6;

/** A frame in the colours of its panel. */
export interface Tile extends Frame {
  /** The picture as the `data:` address of a PNG; absent where there is none. */
  readonly image?: string;
  /** Its error map, likewise; absent of the truth, and where there is none. */
  readonly error?: string;
}

/** A panel's frames, coloured: one grey scale for all pictures and one colour scale for all error maps. */
export interface Tiles {
  readonly tiles: readonly Tile[];
  readonly grey: Scale;
  readonly heat: Scale;
  /** Whether there is a truth, and so errors. */
  readonly hasTruth: boolean;
  /** Pixels of the first picture. */
  readonly size: { readonly width: number; readonly height: number };
}

/** The window that the pictures of a panel are shown in. */
function windowOf({ truth, input, rows }: Panel) {
  return (truth ?? input ?? rows.find(({ picture }) => picture)?.picture)?.window;
}

/**
 * Colours the frames of a panel; the first is the truth where there is one. Pictures of fewer than `side` pixels are
 * enlarged to at least as many, each pixel a square: for readers that would smooth them.
 */
export function tilesOf(panel: Panel, frames: readonly Frame[], side = 1): Tiles {
  const images = frames.flatMap(({ values }) => typeof values === "string" ? [] : [values]);
  const truth = panel.truth === undefined || typeof frames[0].values === "string"
    ? undefined
    : frames[0].values;
  const window = windowOf(panel);
  const grey = window === undefined
    ? greyScale(...rangeOf(truth ?? images[0]))
    : greyScale(window.low, window.high);
  const errors = frames.map(({ values }, index) =>
    truth === undefined || index === 0 || typeof values === "string" ? undefined : errorMap(values, truth)
  );
  const heat = errorScale(errorRange(errors.filter((error) => error !== undefined)));
  return {
    tiles: frames.map((frame, index) => {
      const error = errors[index];
      return {
        ...frame,
        ...(typeof frame.values === "string"
          ? {}
          : { image: colouredPng(enlarged(frame.values, side), grey) }),
        ...(error === undefined ? {} : { error: colouredPng(enlarged(error, side), heat) }),
      };
    }),
    grey,
    heat,
    hasTruth: truth !== undefined,
    size: truth ?? images[0] ?? { height: 1, width: 1 },
  };
}

function enlarged({ height, width, data }: Values, side: number): Values {
  const factor = Math.ceil(side / Math.max(height, width));
  if (factor <= 1) return { height, width, data };
  const wide = width * factor;
  const pixel = (i: number) =>
    Math.floor(Math.floor(i / wide) / factor) * width + Math.floor(i % wide / factor);
  const length = factor * height * wide;
  return {
    height: factor * height,
    width: wide,
    data: Float32Array.from({ length }, (_, i) => data[pixel(i)]),
  };
}

/** The panel as SVG; the first frame is the truth where there is one. */
export function panelSvg(run: Run, panel: Panel, frames: readonly Frame[]): string {
  const { file } = run;
  const { tiles, grey, heat, hasTruth, size } = tilesOf(panel, frames);
  const factor = Math.max(1, Math.ceil(leastTile / Math.max(size.height, size.width)));
  const tile = { width: size.width * factor, height: size.height * factor };

  const bands = Math.max(1, Math.ceil(frames.length / perBand));
  const columns = Math.ceil(frames.length / bands);
  const head = margin + 2 * lineHeight + gap;
  // Without a truth there are no errors, and no room is kept for them.
  const bandHeight = labelHeight + tile.height + (hasTruth ? gap + tile.height : 0) + 2 * gap;
  const body = tiles.map((frame, index) => {
    const x = margin + (index % columns) * (tile.width + gap);
    const y = head + Math.floor(index / columns) * bandHeight;
    const below = y + labelHeight + tile.height + gap;
    return [
      label(frame, x, y, tile.width),
      frame.image === undefined
        ? emptyFrame(String(frame.values), x, y + labelHeight, tile)
        : image(frame.image, x, y + labelHeight, tile),
      frame.error === undefined ? "" : image(frame.error, x, below, tile),
    ].join("");
  });
  const barX = margin + columns * (tile.width + gap) + gap;
  const width = Math.max(barX + barWidth, 640);
  const foot = wrapped(footer(run, panel, hasTruth), Math.floor((width - 2 * margin) / 7.3));
  const footY = head + bands * bandHeight + lineHeight;
  const height = footY + foot.length * lineHeight + margin / 2;
  const { seed } = panel.rows.find(({ seed }) => seed !== null) ?? { seed: null };
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="DejaVu Sans">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    fittingText(file.title, margin, margin + 14, 16, "#000000", width - 2 * margin),
    fittingText(
      `${file.benchmark}, profile ${file.profile}; subject ${panel.subject}, sample ${panel.sample}` +
        (seed === null ? "" : "; of each row the first seed that has a picture"),
      margin,
      margin + 14 + lineHeight,
      12,
      "#444444",
      width - 2 * margin,
    ),
    ...body,
    bar("image", grey, barX, head + labelHeight, tile.height),
    hasTruth ? bar("|error|", heat, barX, head + labelHeight + tile.height + gap, tile.height) : "",
    ...foot.map((line, index) =>
      fittingText(line, margin, footY + index * lineHeight, 12, "#444444", width - 2 * margin)
    ),
    "</svg>",
  ].join("\n");
}

/** What the scales mean, and what every table of this run must say. */
function footer(run: Run, panel: Panel, withErrors: boolean): string[] {
  const score = panel.rows.find(({ score }) => score !== undefined)?.score;
  const shown = windowOf(panel);
  const window = shown && `a window from ${shown.low} to ${shown.high}, errors too`;
  return [
    `Images: one grey scale, ${window ?? `the range of ${withErrors ? "the truth" : "the first picture"}`}.` +
    (withErrors
      ? " Error maps: |picture − truth|, one scale from 0 to the median over the pictures of their errors' 99th percentile; greater errors have its last colour."
      : ""),
    ...(score === undefined
      ? []
      : [`${metricName(score.metric)} is of this sample, convention ${score.metric.convention}.`]),
    ...banners(run),
  ];
}

/** |picture − truth|, or undefined where they are of different sizes. */
function errorMap(values: Values, truth: Values): Values | undefined {
  if (values.height !== truth.height || values.width !== truth.width) return undefined;
  return { ...values, data: values.data.map((value, i) => Math.abs(value - truth.data[i])) };
}

// One failed method must not darken the maps of all others, which a maximum would do.
function errorRange(errors: readonly Values[]): number {
  const percentiles = errors.map(({ data }) => {
    const sorted = data.filter(Number.isFinite).sort();
    return sorted[Math.min(sorted.length - 1, Math.floor(0.99 * sorted.length))] ?? 0;
  }).sort((a, b) => a - b);
  return percentiles[Math.floor(percentiles.length / 2)] || 1;
}

interface Extent {
  readonly width: number;
  readonly height: number;
}

function image(href: string, x: number, y: number, { width, height }: Extent): string {
  return `<image x="${x}" y="${y}" width="${width}" height="${height}" preserveAspectRatio="xMidYMid meet" ` +
    `image-rendering="optimizeSpeed" href="${href}"/>`;
}

function emptyFrame(reason: string, x: number, y: number, { width, height }: Extent): string {
  const lines = wrapped([visible(reason)], Math.max(8, Math.floor((width - 2 * gap) / 7.3)));
  const top = y + height / 2 - (lines.length - 1) * lineHeight / 2 + 4;
  return `<rect x="${x + 0.5}" y="${y + 0.5}" width="${width - 1}" height="${height - 1}" fill="#f6f6f6" ` +
    `stroke="#999999" stroke-dasharray="4 3"/>` +
    lines.map((line, index) =>
      `<text x="${x + width / 2}" y="${top + index * lineHeight}" font-size="12" text-anchor="middle" ` +
      `fill="#555555">${xmlText(line)}</text>`
    ).join("");
}

function label({ label, detail }: Frame, x: number, y: number, width: number): string {
  return fittingText(label, x, y + 14, 13, "#000000", width) +
    fittingText(detail, x, y + 30, 11, "#444444", width);
}

function bar(name: string, scale: Scale, x: number, y: number, height: number): string {
  const ends = { size: 11, left: x + 22 };
  return `<image x="${x}" y="${y}" width="16" height="${height}" preserveAspectRatio="none" href="${
    barPng(scale)
  }"/>` +
    `<rect x="${x + 0.5}" y="${y + 0.5}" width="15" height="${height - 1}" fill="none" stroke="#999999"/>` +
    fittingText(shortNumber(scale.to), ends.left, y + 10, ends.size, "#000000", barWidth) +
    fittingText(name, ends.left, y + height / 2 + 4, ends.size, "#444444", barWidth) +
    fittingText(shortNumber(scale.from), ends.left, y + height, ends.size, "#000000", barWidth);
}

/** A line of text, smaller where it would be wider than `width`, and cut off where that would be below `least`. */
export function fittingText(
  line: string,
  x: number,
  y: number,
  size: number,
  fill: string,
  width: number,
  least = 9,
): string {
  const advance = 0.62;
  const characters = [...visible(line)];
  const room = Math.floor(width / (advance * least));
  const shown = characters.length <= room ? characters : [...characters.slice(0, room - 1), "…"];
  const fitting = Math.min(size, width / (advance * Math.max(1, shown.length)));
  return `<text x="${x}" y="${y}" font-size="${fitting.toFixed(2)}" fill="${fill}">${
    xmlText(shown.join(""))
  }</text>`;
}

/** Sentences as lines of at most `columns` characters. */
function wrapped(sentences: readonly string[], columns: number): string[] {
  return sentences.flatMap((sentence) => {
    const lines = [""];
    for (const word of visible(sentence).split(" ")) {
      const longer = `${lines.at(-1)} ${word}`.trim();
      if (longer.length <= columns || lines.at(-1) === "") lines[lines.length - 1] = longer;
      else lines.push(word);
    }
    return lines;
  });
}

let ready: Promise<Uint8Array> | undefined;

/** Draws SVG as PNG. */
async function rasterise(svg: string): Promise<Uint8Array> {
  ready ??= (async () => {
    await initWasm(await Deno.readFile(new URL(import.meta.resolve("@resvg/resvg-wasm/index_bg.wasm"))));
    return await Deno.readFile(new URL(import.meta.resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf")));
  })();
  const options = { font: { fontBuffers: [await ready], defaultFontFamily: "DejaVu Sans" } };
  const drawing = new Resvg(svg, options);
  try {
    const rendered = drawing.render();
    try {
      return rendered.asPng();
    } finally {
      rendered.free();
    }
  } finally {
    drawing.free();
  }
}
