/**
 * One picture of many frames: in localisation microscopy each has few of the emitters, and all of them together show the
 * structure.
 */

import { explain } from "../core/errors.ts";
import { type Image, sameShape } from "../core/image.ts";
import { emitterSigma, emitterSum, type Points, rendered } from "../core/points.ts";

/** The averages of frames. */
export interface FrameAverages {
  /** Of all. */
  readonly reconstruction: Image;
  /** The density of the emitters of all frames, each shown as in an image (`core/points.ts`) of brightness 1; absent where a frame's are unknown. */
  readonly truth?: Image;
  /** Of the first, third, … and of the second, fourth, …; absent where there is one frame only. */
  readonly halves?: readonly [Image, Image];
}

/** A frame, and how large its pixels are, without which the truth, whose emitters are in nm, is unknown. */
export interface AveragedFrame {
  /** `[height, width, 1]`. */
  readonly reconstruction: Image;
  /** `[row, column]`, of square pixels. */
  readonly pixelNm?: readonly number[];
}

/** Averages frames as they come, and keeps none. */
export class FrameAverage {
  /** As `sample` of scores and pictures. */
  readonly name = "average";
  readonly #sums: Float64Array[] = [];
  #density: Float64Array | undefined;
  #shape: readonly number[] = [];
  #frames = 0;

  /**
   * Takes the next frame.
   *
   * @throws {TypeError} where it is not of the size of those before.
   */
  add({ reconstruction: { shape, data }, pixelNm: size }: AveragedFrame, emitters?: Points): void {
    if (this.#frames === 0) {
      this.#shape = shape;
      for (let half = 0; half < 2; half++) this.#sums.push(new Float64Array(data.length));
      this.#density = new Float64Array(data.length);
    } else if (!sameShape(shape, this.#shape)) {
      throw new TypeError(explain({
        what: `a frame [${shape}] among frames [${this.#shape}] has no average with them`,
        where: "the frames of one subject",
        fix: "give frames of one size, or each size as a subject of its own",
      }));
    }
    accumulate(this.#sums[this.#frames++ % 2], data);
    const pixelNm = size?.at(-1);
    if (emitters === undefined || pixelNm === undefined) this.#density = undefined;
    if (this.#density === undefined) return;
    const [height, width] = shape;
    const rendering = { height, width, pixelNm: pixelNm!, sigmaNm: emitterSigma * pixelNm! };
    accumulate(this.#density, rendered(emitters!, rendering).data);
  }

  /**
   * The averages of the frames so far.
   *
   * @throws {RangeError} where there is none.
   */
  whole(): FrameAverages {
    const [odd, even] = this.#sums;
    const frames = this.#frames;
    if (frames === 0) {
      throw new RangeError(explain({
        what: "no frame has no average",
        where: "a subject",
        fix: "give it frames",
      }));
    }
    const image = (sum: Float64Array, count: number): Image => ({
      shape: this.#shape,
      data: Float32Array.from(sum, (value) => value / count),
    });
    return {
      reconstruction: image(odd.map((value, i) => value + even[i]), frames),
      ...(this.#density && { truth: image(this.#density, frames / emitterSum) }),
      ...(frames > 1 && { halves: [image(odd, Math.ceil(frames / 2)), image(even, Math.floor(frames / 2))] }),
    };
  }
}

function accumulate(sum: Float64Array, values: Float32Array): void {
  for (let i = 0; i < values.length; i++) sum[i] += values[i];
}
