/**
 * Bodies for CT, made of ellipses: a rim of fat, soft tissue with 6 to 12 organs, one to three bones, and a pocket of
 * air. Each slice comes with its exact sinogram, so that what is measured owes nothing to pixels.
 *
 * The recipe is ours. A subject is a volume: its body tapers and drifts, and its organs come and go as sections of
 * ellipsoids do. Contrasts add up where organs overlap; air keeps clear of everything, because attenuation is never
 * negative.
 */

import { type Rng, stream } from "../core/random.ts";
import type { Dataset } from "./dataset.ts";
import { type DetectorViews, type Ellipse, rasterOf, sinogramOf } from "./ellipses.ts";
import { simulatedDataset, type SimulationSettings } from "./simulated.ts";

/** How many, how large, and which; and from where they are seen. */
export interface BodyPhantomSettings extends SimulationSettings, Pick<DetectorViews, "views" | "bins"> {
  /** Half the detector's width in half-widths of the field; √2, which covers the square, unless said. */
  readonly span?: number;
}

/** What is added to HU so that air, which attenuates nothing, is 0 and water 1000. */
const aboveAir = 1000;

/**
 * The dataset of bodies. A sample's `image` is its picture in HU, `[matrix, matrix, 1]`; its `measurement` the sinogram
 * without noise of v = HU + 1000, `[views, bins, 1]`, as {@linkcode sinogramOf} says, in HU times half-widths of the
 * field. `acquisition` is `{ noiseFree: true, span }`.
 *
 * @throws {RangeError} where a size or a count is not a whole number of at least 1, or the span not positive.
 */
export function bodyPhantoms(settings: BodyPhantomSettings): Dataset {
  const { subjects, slices, matrix, views, bins, span = Math.SQRT2 } = settings;
  // What cannot be measured is refused now and not at the first sample.
  sinogramOf([], { views, bins, span });
  return simulatedDataset(settings, {
    kind: "body-phantoms",
    each: "body",
    channels: 1,
    version: 1,
    unit: "HU",
    holds: "pairs",
    banners: ["bodies and measurements are simulated: ellipses with exact line integrals, no scanner's data"],
    notes: [`${subjects} simulated bodies of ${slices} slices each`],
    make(name, slice) {
      const ellipses = sectionOf(bodyOf(stream(name)), (slice + 0.5) / slices);
      const { shape, data } = rasterOf(ellipses, matrix);
      return {
        image: { shape, data: data.map((value) => value - aboveAir) },
        measurement: sinogramOf(ellipses, { views, bins, span }),
        acquisition: { noiseFree: true, span },
      };
    },
  });
}

/** What is in the soft tissue: an ellipse in every slice that it reaches. */
interface Structure {
  /** Place in units of the soft tissue's half-axes. */
  readonly x: number;
  readonly y: number;
  /** Half-axes in half-widths of the field. */
  readonly a: number;
  readonly b: number;
  readonly tilt: number;
  /** HU against soft tissue. */
  readonly contrast: number;
  /** Where along the volume it is largest, in [0, 1], and how far it reaches. */
  readonly middle: number;
  readonly reach: number;
}

/** Lengths are half-widths of the field, values HU; the volume's height runs from 0 to 1. */
interface Body {
  readonly x: number;
  readonly y: number;
  /** The soft tissue's half-axes; the fat is around them. */
  readonly a: number;
  readonly b: number;
  readonly rim: number;
  readonly tilt: number;
  readonly drift: readonly [number, number];
  readonly taper: number;
  readonly fat: number;
  readonly soft: number;
  readonly structures: readonly Structure[];
}

const between = (rng: Rng, least: number, most: number) => least + (most - least) * rng.uniform();

function bodyOf(rng: Rng): Body {
  const a = between(rng, 0.6, 0.82);
  const b = a * between(rng, 0.7, 0.88);
  const soft = between(rng, 30, 50);
  const organs = 6 + rng.integer(7);
  const furtherBones = rng.integer(3);

  /** Half-axes between shares of `b`, anywhere in the soft tissue but not across its edge. */
  const ellipse = (least: number, most: number) => {
    const [one, other] = [b * between(rng, least, most), b * between(rng, least, most)];
    const room = 1 - Math.max(one, other) / b;
    const [radius, angle] = [room * Math.sqrt(rng.uniform()), between(rng, 0, 2 * Math.PI)];
    const tilt = between(rng, 0, Math.PI);
    return { a: one, b: other, tilt, x: radius * Math.cos(angle), y: radius * Math.sin(angle) };
  };
  const along = () => ({ middle: between(rng, -0.1, 1.1), reach: between(rng, 0.6, 1.2) });
  const bone = () => between(rng, 400, 1000);

  // Gas rises: it lies in front, which leaves the back free for everything that must keep clear of it.
  const air = {
    ...ellipse(0.1, 0.2),
    x: between(rng, -0.4, 0.4),
    y: between(rng, 0.3, 0.6),
    contrast: -aboveAir - soft,
    ...along(),
  };
  const clearOfAir = (least: number, most: number) => {
    for (;;) {
      const one = ellipse(least, most);
      const distance = Math.hypot(a * (one.x - air.x), b * (one.y - air.y));
      if (distance > Math.max(one.a, one.b) + Math.max(air.a, air.b)) return one;
    }
  };
  return {
    x: between(rng, -0.05, 0.05),
    y: between(rng, -0.05, 0.05),
    a,
    b,
    rim: between(rng, 0.03, 0.08),
    tilt: between(rng, -0.15, 0.15),
    drift: [between(rng, -0.04, 0.04), between(rng, -0.04, 0.04)],
    taper: between(rng, 0.02, 0.1),
    fat: between(rng, -110, -90),
    soft,
    structures: [
      air,
      ...Array.from({ length: organs }, () => ({
        ...clearOfAir(0.1, 0.36),
        contrast: between(rng, -100, 120) - soft,
        ...along(),
      })),
      // The spine goes all the way.
      {
        ...ellipse(0.16, 0.22),
        x: between(rng, -0.1, 0.1),
        y: between(rng, -0.7, -0.6),
        contrast: bone(),
        middle: 0.5,
        reach: 2,
      },
      ...Array.from({ length: furtherBones }, () => ({
        ...clearOfAir(0.08, 0.16),
        contrast: bone(),
        ...along(),
      })),
    ],
  };
}

/** The ellipses of the slice at height `z`, their values above air. */
function sectionOf(body: Body, z: number): Ellipse[] {
  const shrink = 1 - body.taper * z * z;
  const centre = {
    x: body.x + body.drift[0] * (z - 0.5),
    y: body.y + body.drift[1] * (z - 0.5),
    tilt: body.tilt,
  };
  const [a, b] = [shrink * body.a, shrink * body.b];
  const [cos, sin] = [Math.cos(body.tilt), Math.sin(body.tilt)];
  return [
    { ...centre, a: a + body.rim, b: b + body.rim, value: aboveAir + body.fat },
    { ...centre, a, b, value: body.soft - body.fat },
    ...body.structures.flatMap((one): Ellipse[] => {
      const section = shrink * Math.sqrt(Math.max(0, 1 - ((z - one.middle) / one.reach) ** 2));
      if (section < 0.2) return [];
      const [u, v] = [a * one.x, b * one.y];
      return [{
        x: centre.x + cos * u - sin * v,
        y: centre.y + sin * u + cos * v,
        a: section * one.a,
        b: section * one.b,
        tilt: body.tilt + one.tilt,
        value: one.contrast,
      }];
    }),
  ];
}
