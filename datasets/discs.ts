/**
 * Discs whose labels are out of place: the data of the Wasserstein-loss study (Adler, Ringh, Öktem, Karlsson,
 * arXiv:1710.10898, section 4), where each circle of a label is shifted on its own against the object that was
 * measured.
 *
 * Ours differ in four ways: filled discs of random radius in place of the released code's two thin rings of one radius,
 * so that a level inside and an edge can be measured; they do not touch, so that each is found by itself; shifts
 * are not whole pixels; and no shift carries a disc out of the picture, so that label and object have one mass.
 */

import { explain } from "../core/errors.ts";
import { type Rng, stream } from "../core/random.ts";
import type { Dataset } from "./dataset.ts";
import { type Ellipse, rasterOf } from "./ellipses.ts";
import { simulatedDataset, type SimulationSettings } from "./simulated.ts";

/** How many, how large, and how far out of place. */
export interface DiscSettings extends SimulationSettings {
  /** The largest shift along rows and along columns, in pixels of a 64 x 64 picture, whatever the matrix is. */
  readonly shift: number;
}

/** In half-widths of the field, a pixel of 64 x 64. */
const pixel = 2 / 64;
/** Shifts up to this one leave the objects as they are; a larger one needs more room at the border. */
const usualShift = 5;
const largestShift = 10;

/**
 * The dataset of discs. A sample's `image` is the object, 1 inside one to three discs of radius 3 to 9 pixels of 64 x 64
 * and 0 outside; its `label` the same discs, each shifted by its own draw from U[−shift, shift]². Both are
 * `[matrix, matrix, 1]`, a pixel the mean over its area; labels add up where discs overlap.
 *
 * @throws {RangeError} where a size or a count is not a whole number of at least 1, or the shift not in [0, 10].
 */
export function discs(settings: DiscSettings): Dataset {
  const { subjects, slices, matrix, shift } = settings;
  if (!(shift >= 0 && shift <= largestShift)) {
    throw new RangeError(explain({
      what: `discs cannot be shifted by up to ${shift} pixels`,
      where: "discs",
      fix: `give a shift between 0 and ${largestShift} pixels of a 64 x 64 picture, else labels leave it`,
    }));
  }
  return simulatedDataset(settings, {
    kind: "discs",
    each: "discs",
    channels: 1,
    version: 1,
    unit: "arbitrary",
    holds: "images",
    banners: ["objects and measurements are simulated discs, no scanner's data"],
    notes: [
      `${subjects} subjects with ${slices} pictures of discs each; labels are shifted by up to ${shift}/64 of the width`,
    ],
    make(name, slice) {
      const object = objectOf(stream(`${name}/${slice}/object`), Math.max(shift, usualShift));
      const shifts = stream(`${name}/${slice}/shifts`);
      const draw = () => shift * pixel * (2 * shifts.uniform() - 1);
      const label = object.map((disc) => ({ ...disc, x: disc.x + draw(), y: disc.y + draw() }));
      return { image: rasterOf(object, matrix), label: rasterOf(label, matrix) };
    },
  });
}

/** Discs that leave `margin` pixels at the border and two between them. */
function objectOf(rng: Rng, margin: number): readonly Ellipse[] {
  const count = 1 + rng.integer(3);
  for (;;) {
    const found = Array.from({ length: count }, (): Ellipse => {
      const radius = pixel * (3 + 6 * rng.uniform());
      const room = 1 - radius - margin * pixel;
      const place = () => room * (2 * rng.uniform() - 1);
      return { x: place(), y: place(), a: radius, b: radius, tilt: 0, value: 1 };
    });
    const apart = found.every((one, i) =>
      found.slice(0, i).every((other) =>
        Math.hypot(one.x - other.x, one.y - other.y) > one.a + other.a + 2 * pixel
      )
    );
    if (apart) return found;
  }
}
