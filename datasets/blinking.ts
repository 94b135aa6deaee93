/**
 * Emitters for localisation microscopy: blinking on curved filaments, as they are measured, and at random places, as what
 * networks learn to draw.
 *
 * Positions are in nm from the outer corner of the frame's first pixel; the frame is what the camera sees. Emitters lie
 * around it too, for their light reaches into it, and the image shows some of them: it covers the frame and a rim of `reach`
 * camera pixels on a grid `factor` times finer. In every frame other emitters shine, independently of the frames before;
 * their number is Poisson's, and their brightness log-normal around 1.
 */

import { explain } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { emitterImage, type Points, shifted } from "../core/points.ts";
import { type Rng, stream } from "../core/random.ts";
import type { Dataset } from "./dataset.ts";
import { filamentsIn } from "./filaments.ts";
import { joined, portionsOf } from "./joined.ts";
import { simulatedDataset } from "./simulated.ts";

/** Standard deviation of the logarithm of brightness. */
const spread = 0.35;
/** Camera pixels beyond the image whose emitters still shine into the frame. */
const beyond = 2;
/** Of filaments, in units of their own length scale (`filaments.ts`): a network of 2.4 µm length in each µm². */
const filamentUnitNm = 50;
/** How far dyes are from the middle of their filament, standard deviation along either axis. */
const labelNm = 8;

/** Frames of emitters, and the grids that they are shown on. */
export interface EmitterSettings {
  readonly subjects: number;
  /** Frames of each subject. */
  readonly frames: number;
  /** Height and width of a frame, in camera pixels. */
  readonly size: number;
  /** Of a camera pixel. */
  readonly pixelNm: number;
  /** Pixels of the image along a camera pixel. */
  readonly factor: number;
  /** Camera pixels that the image has beyond the frame on each side. */
  readonly reach: number;
  /** Emitters that shine in a frame, per µm²; of several frames log-uniform between two. */
  readonly density: number | readonly [least: number, most: number];
  /** Name of the stream that all of them are drawn from. */
  readonly stream: string;
  /** What `acquisition` of each sample says besides the size of pixels, e.g. the levels of a stack to be like. */
  readonly acquisition?: { readonly [key: string]: Json };
}

/**
 * Emitters at uniformly random places, which nothing but chance has put there.
 *
 * @throws {RangeError} where a size or a density is not positive, or a count not a whole number of at least 1.
 */
export function randomEmitters(settings: EmitterSettings): Dataset {
  return emitters(settings, "random-emitters", "points", () => (rng, sideNm) => [
    sideNm * rng.uniform(),
    sideNm * rng.uniform(),
  ]);
}

/**
 * Emitters on filaments; a subject is a field of view with filaments of its own.
 *
 * @throws {RangeError} as {@linkcode randomEmitters}.
 */
export function blinkingFilaments(settings: EmitterSettings): Dataset {
  return emitters(settings, "blinking-filaments", "field", (name, sideNm) => {
    const steps = stepsOn(name, sideNm / filamentUnitNm);
    return (rng) => {
      const [x, y, nextX, nextY] = steps[rng.integer(steps.length)];
      const along = rng.uniform();
      const place = [x + along * (nextX - x), y + along * (nextY - y)];
      return place.map((at) => at * filamentUnitNm + labelNm * rng.normal()) as [number, number];
    };
  });
}

/** Steps `[x, y, next x, next y]` of equal length along the filaments in a square; where there are none, other filaments. */
function stepsOn(name: string, side: number): readonly Float64Array[] {
  const steps = filamentsIn([side, side], stream(`${name}/filaments`)).flatMap(({ points }) =>
    Array.from({ length: points.length / 2 - 1 }, (_, i) => points.subarray(2 * i, 2 * i + 4))
      .filter(([x, y]) => x >= 0 && x < side && y >= 0 && y < side)
  );
  return steps.length > 0 ? steps : stepsOn(`${name}/filaments`, side);
}

/** What localisation microscopy comes with. */
export interface BlinkingSettings
  extends Pick<EmitterSettings, "pixelNm" | "factor" | "reach" | "density" | "stream"> {
  /** Side of the frames to learn from, and how many of either kind; ten frames show one field. */
  readonly trainSize: number;
  readonly trainFrames: number;
  /** Side of the fields that methods are judged by, how many, and frames of each. */
  readonly size: number;
  readonly validationFields: number;
  readonly testFields: number;
  readonly frames: number;
}

/**
 * Random emitters to learn from (role `x`), and fields of filaments: small ones to learn from (`y`), others for validation
 * and for test.
 *
 * @throws {RangeError} as {@linkcode randomEmitters}.
 */
export function blinking(settings: BlinkingSettings): Dataset {
  const { trainSize, trainFrames, size, frames, validationFields, testFields, ...common } = settings;
  const part = (role: "x" | "y" | "validation" | "test", subjects: number, count: number, side: number) => {
    const make = role === "x" ? randomEmitters : blinkingFilaments;
    const stream = `${settings.stream}/${role}`;
    const dataset = make({ ...common, subjects, frames: count, size: side, stream });
    const prefix = role === "x" ? "" : role === "y" ? "training-" : `${role}-`;
    return portionsOf(
      dataset,
      dataset.contents.subjects.map(({ id }) => ({ of: id, id: `${prefix}${id}`, role })),
    );
  };
  const parts = [
    part("x", 1, trainFrames, trainSize),
    part("y", Math.max(1, Math.round(trainFrames / 10)), Math.min(10, trainFrames), trainSize),
    part("validation", validationFields, frames, size),
    part("test", testFields, frames, size),
  ];
  return joined(parts, {
    kind: "blinking",
    name: "blinking",
    notes: [
      `${trainFrames} simulated frames of random emitters to draw, and as many of blinking filaments to learn from, ` +
      `of ${trainSize} x ${trainSize} camera pixels of ${settings.pixelNm} nm; fields of ${size} x ${size} with ${frames} ` +
      `frames each: ${validationFields} for validation, ${testFields} for test`,
    ],
  });
}

/** Draws a place, `[x, y]` in nm from the corner of a square of `sideNm` in which emitters lie. */
type Placing = (rng: Rng, sideNm: number) => readonly [number, number];

function emitters(
  settings: EmitterSettings,
  kind: string,
  each: string,
  placing: (name: string, sideNm: number) => Placing,
): Dataset {
  const { subjects, frames, size, pixelNm, factor, reach, density, acquisition = {} } = settings;
  const [least, most] = typeof density === "number" ? [density, density] : density;
  requirePositive({ size, factor, pixelNm, "emitters per µm²": least });
  const rim = reach + beyond;
  const sideNm = (size + 2 * rim) * pixelNm;
  const side = (size + 2 * reach) * factor;
  // With the other settings of a simulation, what its hash is of.
  const decisive = { pixelNm, factor, reach, density, acquisition };
  // A subject's frames are asked for one after the other.
  let last: { readonly name: string; readonly place: Placing } | undefined;
  const dataset = simulatedDataset(
    {
      subjects,
      slices: frames,
      matrix: size,
      stream: settings.stream,
      ...decisive,
    },
    {
      kind,
      each,
      channels: 1,
      shape: [side, side, 1],
      version: 1,
      unit: "brightness",
      holds: "images",
      banners: [],
      notes: [],
      make(name, frame) {
        if (last?.name !== name) last = { name, place: placing(name, sideNm) };
        const { place } = last;
        const rng = stream(`${name}/${frame}`);
        const expected = least * (most / least) ** rng.uniform() * (sideNm / 1000) ** 2;
        const count = arrivals(expected, rng);
        const places = Array.from({ length: count }, () => place(rng, sideNm));
        const found: Points = {
          xNm: Float64Array.from(places, ([x]) => x - rim * pixelNm),
          yNm: Float64Array.from(places, ([, y]) => y - rim * pixelNm),
          brightness: Float64Array.from(places, () => Math.exp(spread * rng.normal())),
        };
        return {
          image: emitterImage(shifted(found, reach * pixelNm), {
            height: side,
            width: side,
            pixelNm: pixelNm / factor,
          }),
          emitters: found,
          acquisition: { ...acquisition, pixelSizeNm: [pixelNm, pixelNm] },
        };
      },
    },
  );
  const pixelSizeMm = [pixelNm * 1e-6, pixelNm * 1e-6];
  return { ...dataset, contents: { ...dataset.contents, pixelSizeMm } };
}

/** A draw from the Poisson distribution: as many arrivals as fall into a time of this length, one a unit on average. */
function arrivals(expected: number, rng: Rng): number {
  let count = 0;
  for (let time = 0; (time -= Math.log(1 - rng.uniform())) < expected;) count++;
  return count;
}

function requirePositive(numbers: Readonly<Record<string, number>>): void {
  for (const [what, value] of Object.entries(numbers)) {
    if (value > 0 && Number.isFinite(value)) continue;
    throw new RangeError(explain({
      what: `${value} for ${what}`,
      where: "emitters",
      fix: "give a number above 0",
    }));
  }
}
