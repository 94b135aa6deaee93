/**
 * Localisation microscopy: few emitters shine in a frame, each is a blurred spot, and the camera counts its photons.
 *
 * Emitters are in nm from the outer corner of the frame's first pixel. Their image lies on a grid `factor` times finer than
 * the camera's, which reaches `reach` camera pixels beyond the frame on each side; there an emitter of brightness 1 is a spot
 * of σ 1 pixel whose peak is 1 (`emitterImage`). Measurements are in the same unit, background subtracted: a camera pixel is
 * the sum of the blurred image over its fine pixels. So the spot of an emitter of brightness 1 has its peak at 0.6 where
 * σ is 1.3 camera pixels, and `photons` photoelectrons are `emitterSum` units.
 */

import { explain, UsageError } from "../core/errors.ts";
import { type Image, sameShape } from "../core/image.ts";
import {
  emitterImage,
  emitterSigma,
  emitterSum,
  inField,
  type Points,
  rendered,
  shifted,
} from "../core/points.ts";
import type { Rng } from "../core/random.ts";
import type { Settings, Values } from "../core/settings.ts";
import type { Acquisition, Measurable, Measured } from "./acquisition.ts";
import { type Camera, noiseOf, photoelectrons, photographed } from "./camera.ts";
import { applied, placeOf } from "./measuring.ts";
import type { Operator } from "./operator.ts";
import { type FineGrid, imageShapeOf, superResolution, superResolutionForm } from "./super_resolution.ts";

/** What a benchmark may set of {@linkcode localisationMicroscopy}. */
export const localisationSettings = {
  pixelNm: {
    default: "",
    about: "size of a camera pixel in nm; empty: as the data say, and 100 where they do not",
  },
  psfSigmaNm: {
    default: 130,
    min: 1,
    max: 10_000,
    about: "σ of an emitter's spot in nm, before the camera's pixels",
  },
  photons: {
    default: 0,
    min: 0,
    max: 1e9,
    about:
      "photoelectrons of a typical emitter in a frame; 0: as a stack's changes in time say, 1000 for simulations",
  },
  background: {
    default: 10,
    min: 0,
    max: 1e9,
    about: "photoelectrons of a dark pixel; of a stack, as its darkest pixels say",
  },
  camera: {
    default: "emccd" as string,
    choices: ["emccd", "scmos"] as readonly string[],
    about: "whether the camera multiplies electrons, which doubles the variance of what it counts",
  },
  readNoise: {
    default: 2,
    min: 0,
    max: 1e6,
    about:
      "standard deviation of the camera's read-out, in photoelectrons; of a stack, as its darkest pixels say",
  },
  cameraOffset: {
    default: 0,
    min: -1e6,
    max: 1e6,
    about:
      "counts of a pixel that no light reaches, of a stack too short to watch its darkest pixels in time",
  },
  cameraGain: { default: 1, min: 1e-6, max: 1e6, about: "counts of a stack's camera a photoelectron" },
  factor: { default: 4, min: 1, max: 16, whole: true, about: "pixels of the image along a camera pixel" },
  reach: {
    default: 3,
    min: 1,
    max: 16,
    whole: true,
    about: "camera pixels beyond the frame whose light is accounted for; the kernel ends there",
  },
} as const satisfies Settings;

type LocalisationValues = Values<typeof localisationSettings>;

/** Of a camera pixel, where neither data nor settings say it. */
export const usualPixelNm = 100;
/** Of a simulated emitter, unless something else is set. */
const usualPhotons = 1000;

/**
 * σ of the blur that takes an image to a frame, in fine pixels: √(σ² − 1), since the image's spots have σ 1 of their own.
 * Camera pixels are summed exactly, so they do not widen it.
 *
 * @throws {RangeError} where the spots of the image are wider than those of the microscope.
 */
export function blurSigma(psfSigmaNm: number, pixelNm: number, factor: number): number {
  const square = (psfSigmaNm * factor / pixelNm) ** 2 - emitterSigma ** 2;
  if (square > 0) return Math.sqrt(square);
  throw new RangeError(explain({
    what: `spots of σ ${psfSigmaNm} nm on fine pixels of ${pixelNm / factor} nm`,
    where: "localisation microscopy",
    fix: "give a wider psfSigmaNm, smaller pixels, or a larger factor",
  }));
}

/** A Gaussian of this σ, sampled at the pixels of a kernel of this shape `[height, width, 1]`, sum 1. */
export function gaussianKernel(sigma: number, [height, width]: readonly number[]): Image {
  const line = (side: number) => {
    const values = Array.from(
      { length: side },
      (_, i) => Math.exp(-((i - (side - 1) / 2) ** 2) / (2 * sigma ** 2)),
    );
    const sum = values.reduce((total, value) => total + value);
    return values.map((value) => value / sum);
  };
  const [down, across] = [line(height), line(width)];
  return {
    shape: [height, width, 1],
    data: Float32Array.from(down.flatMap((a) => across.map((b) => a * b))),
  };
}

/**
 * Localisation microscopy as an acquisition, by what a sample holds:
 *
 * - **A `measurement`**, camera counts: they are brought to the unit of brightness. How bright an emitter of a stack is
 *   follows from how its pixels change in time, as in number and brightness analysis (M. A. Digman et al., Biophys. J. 94,
 *   2008), here by the third cumulant, since static light has none: of emitters that come and go and send A counts each, Σ of
 *   third cumulants over Σ of variances is A Σh³ / Σh², h being the spot. Where `emitters` are known, so is the image.
 * - **`emitters`** and no measurement: each is a Gaussian integrated over the camera's pixels, wherever in or around the
 *   frame it is.
 * - **An `image`** alone: the operator's measurement of it.
 *
 * `acquisition` may say `pixelSizeNm`, and the levels of a stack: `low`, `high`, `dark` and `flicker` (see
 * `datasets/levels.ts`). A sample that was not measured yet and says them is measured by that stack's camera.
 *
 * @param taskStream names the randomness of the task; noise comes from the sample's own stream.
 */
export function localisationMicroscopy(settings: LocalisationValues, taskStream: string): Acquisition {
  const { factor, reach } = settings;
  const microscopes = new Map<string, Microscope>();
  const microscopeFor = (size: readonly [number, number], optics: Optics): Microscope => {
    const key = JSON.stringify([size, optics]);
    const microscope = microscopes.get(key) ?? microscopeOf({ size, factor, reach }, optics);
    microscopes.set(key, microscope);
    return microscope;
  };
  return {
    name: "localisation-microscopy",
    settings: { ...settings, stream: taskStream },
    async measure(sample, rng): Promise<Measured> {
      const { emitters, image, measurement } = sample;
      const size = sizeOfFrame(sample, settings);
      const microscope = microscopeFor(size, opticsOf(sample, settings));
      const { operator, form, noise, kernel, pixelNm } = microscope;
      const isSized = pixelSizeOf(sample, settings) !== undefined;
      const known = image ?? (emitters && imageOf(emitters, microscope));
      return {
        operator,
        form,
        noise,
        ...(measurement === undefined && { kernel }),
        measurement: measurement === undefined
          ? await photograph(sample, microscope, rng)
          : calibrated(measurement, microscope, settings.cameraGain),
        ...(known && { image: known }),
        ...(isSized && { pixelNm: [pixelNm / factor, pixelNm / factor] }),
        ...(emitters && { emitters: inField(emitters, size[0] * pixelNm, size[1] * pixelNm) }),
      };
    },
  };
}

/** What a frame is taken with. */
interface Optics {
  readonly pixelNm: number;
  readonly sigmaNm: number;
  /** Counts of a stack's pixel that no emitter reaches. */
  readonly zero: number;
  readonly camera: Camera;
}

/** An {@linkcode Optics} and what follows from it for frames of one size. */
interface Microscope extends Optics, Pick<Measured, "operator"> {
  readonly grid: FineGrid;
  readonly form: NonNullable<Measured["form"]>;
  readonly noise: NonNullable<Measured["noise"]>;
  readonly kernel: Image;
}

function microscopeOf(grid: FineGrid, optics: Optics): Microscope {
  const form = superResolutionForm(grid);
  const sigma = blurSigma(optics.sigmaNm, optics.pixelNm, grid.factor);
  const kernel = gaussianKernel(sigma, form.kernelShape);
  return {
    ...optics,
    grid,
    form,
    kernel,
    operator: withOptics(superResolution(grid, kernel), optics),
    noise: noiseOf(optics.camera),
  };
}

/** An operator that says what it was made of, for methods that look for emitters and not for an image. */
function withOptics(operator: Operator, { pixelNm, sigmaNm }: Optics): Operator {
  return { ...operator, settings: { ...operator.settings, pixelNm, psfSigmaNm: sigmaNm } };
}

/** Of a camera pixel, in nm; undefined where neither the data nor the settings say it. */
function pixelSizeOf({ acquisition }: Measurable, { pixelNm }: LocalisationValues): number | undefined {
  if (pixelNm === "") return numberIn(acquisition?.pixelSizeNm, 0);
  const given = Number(pixelNm);
  if (given > 0 && Number.isFinite(given)) return given;
  throw new UsageError({
    what: `"${pixelNm}" is no size of a pixel`,
    where: "--pixel-nm",
    fix: "give X in nm, e.g. 100",
  });
}

function opticsOf(sample: Measurable, settings: LocalisationValues): Optics {
  const { psfSigmaNm: sigmaNm, background, cameraGain: gain, cameraOffset, readNoise } = settings;
  const said = sample.acquisition ?? {};
  const pixelNm = pixelSizeOf(sample, settings) ?? usualPixelNm;
  const dark = { mean: numberIn(said.dark, "mean"), variance: numberIn(said.dark, "variance") };
  const low = numberIn(said, "low");
  const photons = settings.photons || photonsOf(said, sigmaNm / pixelNm, gain);
  if (photons === undefined && sample.measurement !== undefined) {
    throw new RangeError(explain({
      what: "nobody says how bright an emitter of this stack is",
      where: placeOf(sample),
      fix: "--set photons=N, the photoelectrons of a typical emitter in a frame",
    }));
  }
  const level = low === undefined ? background : Math.max(0, (low - cameraOffset) / gain);
  return {
    pixelNm,
    sigmaNm,
    zero: dark.mean ?? cameraOffset + gain * level,
    camera: {
      photons: (photons ?? usualPhotons) / emitterSum,
      multiplies: settings.camera === "emccd",
      // What is dark was watched in time: background and read-out are not told apart, and need not be.
      ...(dark.variance === undefined
        ? { background: level, readNoise }
        : { background: 0, readNoise: Math.sqrt(dark.variance) / gain }),
    },
  };
}

/**
 * Photoelectrons of an emitter, from the levels of a stack; spots are Gaussians of σ camera pixels. With v = σ² + 1/12, a
 * spot's Σh² is 1/4πv, its Σh³ is 1/12π²v², and its greatest value is 1/2πv.
 */
function photonsOf(
  levels: NonNullable<Measurable["acquisition"]>,
  sigma: number,
  gain: number,
): number | undefined {
  const v = sigma ** 2 + 1 / 12;
  const [low, high, flicker] = ["low", "high", "flicker"].map((name) => numberIn(levels, name));
  if (flicker !== undefined && flicker > 0) return flicker * 3 * Math.PI * v / gain;
  // Where nothing comes and goes, the brightest places are taken for single emitters.
  return low !== undefined && high !== undefined && high > low
    ? (high - low) * 2 * Math.PI * v / gain
    : undefined;
}

/** A frame of a sample that was not measured yet. */
async function photograph(
  { image, emitters }: Measurable,
  { operator, pixelNm, sigmaNm, camera }: Microscope,
  rng: Rng,
): Promise<Image> {
  const shape = operator.measurementShape;
  const [height, width] = shape;
  const expected = emitters === undefined
    ? (await applied(operator.forward, image!)).data
    : rendered(emitters, { height, width, pixelNm, sigmaNm }, emitters.brightness)
      .data.map((value) => value * emitterSum);
  return { shape, data: photographed(expected, camera, rng) };
}

function calibrated({ shape, data }: Image, { camera, zero }: Microscope, gain: number): Image {
  const counted = photoelectrons(data, { offset: zero, gain });
  return { shape, data: counted.map((value) => value / camera.photons) };
}

/** The image of emitters, those around the frame included. */
function imageOf(emitters: Points, { grid, pixelNm }: Microscope): Image {
  const [height, width] = imageShapeOf(grid);
  return emitterImage(shifted(emitters, grid.reach * pixelNm), {
    height,
    width,
    pixelNm: pixelNm / grid.factor,
  });
}

/** `[height, width]` of the sample's frame in camera pixels. */
function sizeOfFrame(
  { image, measurement, ...sample }: Measurable,
  { factor, reach }: LocalisationValues,
): readonly [number, number] {
  const [height, width, channels, ...more] = (measurement ?? image)?.shape ?? [];
  const size = measurement === undefined
    ? [height, width].map((side) => side / factor - 2 * reach)
    : [height, width];
  const refuse = (what: string, fix: string): never => {
    throw new TypeError(
      explain({ what, where: placeOf(sample), fix }),
    );
  };
  if (channels !== 1 || more.length > 0) {
    refuse(
      `a frame is [height, width, 1], not [${(measurement ?? image)?.shape ?? []}]`,
      "give single frames with one channel, or images of them",
    );
  }
  if (!size.every((side) => Number.isInteger(side) && side >= 1)) {
    refuse(
      `an image [${image!.shape}] shows no whole camera pixels within its rim`,
      `give sides of ${factor} times the frame's and ${2 * reach} camera pixels more`,
    );
  }
  if (measurement !== undefined && image !== undefined) {
    const wanted = imageShapeOf({ size: size as [number, number], factor, reach });
    if (!sameShape(image.shape, wanted)) {
      refuse(`an image [${image.shape}] of a frame [${measurement.shape}]`, `give it as [${wanted}]`);
    }
  }
  return size as [number, number];
}

/** The finite number of this name in what may be an object or a list. */
function numberIn(value: unknown, name: string | number): number | undefined {
  const found = (value as Record<string | number, unknown> | null | undefined)?.[name];
  return typeof found === "number" && Number.isFinite(found) ? found : undefined;
}
