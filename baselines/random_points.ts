/** Points that nobody localised: a negative control. */

import { explain } from "../core/errors.ts";
import type { Image } from "../core/image.ts";
import { sha256 } from "../core/json.ts";
import { emitterSum, type Points } from "../core/points.ts";
import type { Rng } from "../core/random.ts";
import type { Method } from "../methods/method.ts";
import { localiser } from "./optics.ts";

/**
 * Answers every frame with points that are drawn at random by its brightness, as many as would make its light if each were as
 * bright as a typical emitter. It knows where light is and nothing of emitters, so that what scores no better has localised
 * nothing: at 250 nm and high density, which is what the field scores by, it does well.
 */
export const randomPoints: Method = {
  name: "random-points",
  about:
    "points drawn at random from a frame’s brightness, as many as its light is worth: a negative control",
  source: "negative control",
  knows: { pairs: false, operator: "exactly" },
  settings: {},
  trains: false,
  effort: 0,
  prepare: (_problem, _settings, rng) =>
    localiser("random-points", ({ height, width, data }, { dark, unit }) => {
      const frame = { shape: [height, width, 1], data: Float32Array.from(data, (count) => count - dark) };
      const light = frame.data.reduce((sum, value) => sum + value, 0) * unit;
      // A frame's own stream: the same points in whatever order frames come.
      const own = rng.stream(sha256(new Uint8Array(frame.data.buffer)));
      const count = Math.max(0, Math.round(light / emitterSum));
      const { xNm: x, yNm: y } = drawnPoints(frame, count, 1, own);
      return { x, y, light: new Float64Array(count).fill(emitterSum / unit) };
    }),
};

/**
 * `count` points drawn from an image `[height, width, 1]`, e.g. a frame less its background: a pixel by its value (nothing below
 * zero), and a place within it evenly.
 *
 * @throws {RangeError} where no pixel has a positive value, and there are points to be drawn.
 */
export function drawnPoints(image: Image, count: number, pixelNm: number, rng: Rng): Points {
  const { shape: [, width], data } = image;
  const sums = new Float64Array(data.length);
  let total = 0;
  for (let i = 0; i < data.length; i++) sums[i] = total += Math.max(0, data[i]);
  if (count > 0 && !(total > 0 && Number.isFinite(total))) {
    throw new RangeError(explain({
      what: "no pixel has a positive value",
      where: "random-points",
      fix: "give the frame without its background",
    }));
  }
  const xNm = new Float64Array(count);
  const yNm = new Float64Array(count);
  for (let n = 0; n < count; n++) {
    const pixel = firstAbove(sums, rng.uniform() * total);
    xNm[n] = (pixel % width + rng.uniform()) * pixelNm;
    yNm[n] = (Math.floor(pixel / width) + rng.uniform()) * pixelNm;
  }
  return { xNm, yNm };
}

function firstAbove(sums: Float64Array, value: number): number {
  let [low, high] = [0, sums.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sums[middle] > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
