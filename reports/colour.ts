/** From values to colours: grey for images, magma for errors, each over a range that is printed beside it. */

import { Buffer } from "node:buffer";
import { interpolateMagma } from "d3-scale-chromatic";
import { encode } from "fast-png";
import type { Values } from "./pictures.ts";

/** A scale of 256 colours, from the least to the greatest value of a range. */
export interface Scale {
  /** Red, green and blue in 0…255, 256 times. */
  readonly colours: readonly (readonly [number, number, number])[];
  /** The value of the first colour. */
  readonly from: number;
  /** The value of the last colour. */
  readonly to: number;
}

const levels = Array.from({ length: 256 }, (_, level) => level);
const greys = levels.map((level) => [level, level, level] as const);
// Perceptually uniform, and readable without colour vision and in print (Smith and van der Walt, 2015).
const magma = levels.map((level) => {
  const hex = interpolateMagma(level / 255);
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)) as [number, number, number];
});

/** Grey, black at `from` and white at `to`. */
export function greyScale(from: number, to: number): Scale {
  return { colours: greys, from, to };
}

/** Magma, for errors. */
export function errorScale(to: number): Scale {
  return { colours: magma, from: 0, to };
}

/** The colour of a value; beyond the range it is the range's end. */
export function colourOf({ colours, from, to }: Scale, value: number): readonly [number, number, number] {
  const share = to > from ? (value - from) / (to - from) : 0;
  // Written so that a value that is no number is dark, like everything that is too small.
  return colours[share > 0 ? Math.min(255, Math.round(share * 255)) : 0];
}

/** Values in a scale's colours, as the `data:` address of a PNG with one pixel for each value. */
export function colouredPng({ height, width, data }: Values, scale: Scale): string {
  const channels = scale.colours === greys ? 1 : 3;
  const pixels = new Uint8Array(channels * height * width);
  for (let i = 0; i < height * width; i++) {
    const colour = colourOf(scale, data[i]);
    if (channels === 1) pixels[i] = colour[0];
    else pixels.set(colour, 3 * i);
  }
  const png = encode({ width, height, data: pixels, channels, depth: 8 });
  return `data:image/png;base64,${Buffer.from(png).toString("base64")}`;
}

/** A scale from its greatest value down to its least, as the `data:` address of a PNG one pixel wide. */
export function barPng(scale: Scale): string {
  const { from, to } = scale;
  const data = Float32Array.from(levels, (level) => to - (to - from) * level / 255);
  return colouredPng({ height: 256, width: 1, data }, to > from ? scale : { ...scale, from: 0, to: 1 });
}

/** A scale from its least value to its greatest, as the `data:` address of a PNG one pixel high. */
export function rampPng(scale: Scale): string {
  const data = Float32Array.from(levels, (level) => level / 255);
  return colouredPng({ height: 1, width: 256, data }, { ...scale, from: 0, to: 1 });
}
