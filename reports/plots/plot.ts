/**
 * What plots share: how they are set, how rows are told apart, and how many marks they may hold.
 *
 * Each plot is SVG text by Observable Plot, the same bytes for the same records. None holds more marks than people can
 * see: of many samples evenly spaced ranks are drawn, of many seeds their mean and range, and quartiles are of all.
 */

import * as Plot from "@observablehq/plot";
import { schemeObservable10 } from "d3-scale-chromatic";
import { JSDOM } from "jsdom";
import { meanOf as mean } from "../../results/interval.ts";

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

/** Up to so many seeds of a row are drawn apart. */
export const seedsApart = 6;

/** Ticks and their labels, in proportion to the text. */
export function ticks({ fontSize }: Look) {
  return { tickSize: fontSize / 3, tickPadding: fontSize / 4 };
}

/** What all plots share. */
export function common({ width, fontSize, fontFamily, ink }: Look) {
  return {
    width,
    className: "plot",
    style: { fontSize: `${fontSize}px`, fontFamily, color: ink, background: "none" },
  };
}

/** A name that leaves room for what is plotted beside it. */
export function cut(name: string, most: number): string {
  const characters = [...name];
  return characters.length <= most ? name : `${characters.slice(0, most - 1).join("")}…`;
}

/** Room for text whose font is not known here: most letters are narrower than this. */
export function widest(texts: readonly string[], fontSize: number): number {
  return 0.6 * fontSize * Math.max(...texts.map((text) => [...text].length));
}

let page: JSDOM["window"] | undefined;

/** A plot as SVG text. */
export function drawn(options: Plot.PlotOptions, { fontSize }: Look): string {
  page ??= new JSDOM("").window;
  const svg = Plot.plot({ ...options, document: page.document });
  // Its style sheet is for pages of one plot.
  svg.querySelector("style")?.remove();
  svg.setAttribute("role", "img");
  svg.setAttribute("stroke-width", String(fontSize / 12));
  return new page.XMLSerializer().serializeToString(svg);
}

/** The values, the least first. */
export function ascending(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

/** The quantile of ascending values, with linear interpolation between ranks. */

/** The mean; null of none. */
export function meanOf(values: readonly number[]): number | null {
  return values.length === 0 ? null : mean(values);
}
