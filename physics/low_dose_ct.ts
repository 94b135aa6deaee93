/**
 * Low-dose CT: few photons a ray, and filtered back-projection of what they counted.
 *
 * Images are in **HU above air**, v = HU + 1000 = 1000·μ/μ_water: proportional to the attenuation μ, so that
 * a linear operator takes them to line integrals, and air is 0. Data sets give HU; the acquisition adds 1000.
 * A field's half-width of water attenuates by e^−opacity, so line integrals of v in half-widths of the field
 * become optical depths p by the factor opacity/1000, whatever the pixel size. Measurements are p taken back
 * to the unit of v.
 */

import { explain } from "../core/errors.ts";
import { type Image, sameShape } from "../core/image.ts";
import type { Rng } from "../core/random.ts";
import type { Settings, Values } from "../core/settings.ts";
import type { Acquisition, Measurable, Measured } from "./acquisition.ts";
import { type FilterName, filterNames } from "./filtered_back_projection.ts";
import { identity } from "./identity.ts";
import { applied, placeOf } from "./measuring.ts";
import { withNorm } from "./norm.ts";
import type { Operator } from "./operator.ts";
import { countPhotons } from "./photon_noise.ts";
import { type Detector, detectors, rayTransform, spanOf } from "./ray_transform.ts";

/** What a benchmark may set of {@linkcode lowDoseCt}. */
export const lowDoseCtSettings = {
  views: {
    default: 0,
    min: 0,
    max: 10_000,
    whole: true,
    about: "views of a scan, evenly over half a turn; 0: three for two pixels of the image's side",
  },
  bins: {
    default: 0,
    min: 0,
    max: 10_000,
    whole: true,
    about: "detector bins of each view; 0: as wide as pixels, and one more at each end",
  },
  detector: {
    default: "square" as string,
    choices: detectors as readonly string[],
    about: "what the bins cover: the circle inside the field, or the whole square",
  },
  photons: { default: 3e4, min: 1, max: 1e12, about: "photons that enter along each ray of a measurement" },
  opacity: {
    default: 3.2,
    min: 0.01,
    max: 100,
    about: "optical depth of half the field's width of water; 0.019 times its millimetres at 70 keV",
  },
  filter: {
    default: filterNames[0] as string,
    choices: filterNames as readonly string[],
    about: "filter of the back-projection",
  },
} as const satisfies Settings;

/**
 * The scan of an image of this size: views, bins, and half the detector's width in half-widths of the field.
 */
export function scanOf(
  { views, bins, detector }: Pick<Values<typeof lowDoseCtSettings>, "views" | "bins" | "detector">,
  size: readonly [height: number, width: number],
): { readonly views: number; readonly bins: number; readonly span: number } {
  const side = Math.max(...size);
  const span = spanOf(size, detector as Detector);
  return { views: views || Math.ceil(1.5 * side), bins: bins || Math.ceil(span * side) + 2, span };
}

/** What is added to HU so that air is 0. */
export const aboveAir = 1000;

/** An image of {@linkcode lowDoseCt} in HU. */
export function inHounsfield({ shape, data }: Image): Image {
  return { shape, data: data.map((value) => value - aboveAir) };
}

/**
 * Low-dose CT as an acquisition, by what a sample holds:
 *
 * - **A sinogram without noise** (`measurement` and `acquisition.noiseFree`), `[views, bins, 1]` in HU above
 *   air times half-widths of the field, as `ray_transform.ts` has it: noise is added, and the image to
 *   reconstruct is the filtered back-projection of the noise-free one onto the grid of `image`.
 *   `acquisition.span`, where given, must be the detector's.
 * - **An `image`** in HU: its ray transform stands for the sinogram. The image to reconstruct is the filtered
 *   back-projection of that without noise and not the image itself, so that both domains have passed through
 *   the same scanner and differ by the dose alone.
 * - **`image` and `measurement` of one shape**: a registered pair of normal and low dose, in HU. The operator
 *   is the identity, and nothing is drawn.
 * - **`measurement` alone**: a low-dose image, in HU; the identity.
 *
 * Samples of one size share one operator. Noise comes from the sample's own stream.
 *
 * @param taskStream names the randomness of the task; a scan's geometry draws none.
 */
export function lowDoseCt(settings: Values<typeof lowDoseCtSettings>, taskStream: string): Acquisition {
  const { photons, opacity } = settings;
  const detector = settings.detector as Detector;
  const filter = settings.filter as FilterName;
  const scanners = new Map<string, Promise<Operator>>();
  const identities = new Map<string, Operator>();

  async function scanned(
    sample: Measurable,
    noiseFree: (scanner: Operator) => Promise<Image>,
    rng: Rng,
  ): Promise<Measured> {
    const [height, width] = sample.image!.shape;
    const size = [height, width] as const;
    const { views, bins, span } = scanOf(settings, size);
    requireScan(sample, [views, bins, 1], span);
    const operator = await remembered(
      scanners,
      `${size}`,
      () => withNorm(rayTransform({ size, views, bins, detector, filter })),
    );
    const sinogram = await noiseFree(operator);
    const depths = sinogram.data.map((value) => value * opacity / aboveAir);
    const counted = countPhotons(depths, photons, rng.stream("photons"));
    return {
      operator,
      measurement: { shape: sinogram.shape, data: counted.map((depth) => depth * aboveAir / opacity) },
      image: await applied(operator.approximateInverse!, sinogram),
    };
  }

  return {
    name: "low-dose-ct",
    settings: { ...settings, stream: taskStream },
    async measure(sample, rng): Promise<Measured> {
      const { image, measurement } = sample;
      if (image !== undefined || measurement === undefined) requireSlice(sample, image);
      if (measurement === undefined) {
        return await scanned(sample, (A) => applied(A.forward, raised(image!)), rng);
      }
      if (sample.acquisition?.noiseFree === true) {
        requireSlice(sample, image);
        return await scanned(sample, () => Promise.resolve(measurement), rng);
      }
      requireSlice(sample, measurement);
      if (image !== undefined) requireOneShape(sample, image, measurement);
      const { shape } = measurement;
      return {
        operator: remembered(identities, String(shape), () => identity(shape)),
        measurement: raised(measurement),
        ...(image === undefined ? {} : { image: raised(image) }),
      };
    },
  };
}

/** HU to HU above air. */
function raised(image: Image): Image {
  return { shape: image.shape, data: image.data.map((value) => value + aboveAir) };
}

function remembered<T>(known: Map<string, T>, key: string, make: () => T): T {
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
}

function requireSlice(sample: Measurable, image: Image | undefined): void {
  const shape = image?.shape ?? [];
  if (shape.length === 3 && shape[2] === 1) return;
  throw new TypeError(explain({
    what: `CT is measured from slices [height, width, 1] in HU, not [${shape}]`,
    where: placeOf(sample),
    fix:
      "give one slice with one channel; a sinogram needs acquisition.noiseFree: true, and an image of its size",
  }));
}

/** Refuses a sinogram of another scan. */
function requireScan({ measurement, ...sample }: Measurable, shape: readonly number[], span: number): void {
  if (measurement !== undefined && !sameShape(measurement.shape, shape)) {
    throw new RangeError(explain({
      what: `a sinogram [${measurement.shape}] for a scanner of [${shape}] views, bins and channels`,
      where: placeOf(sample),
      fix: `make it for these, or --set views=${measurement.shape[0]} and bins=${measurement.shape[1]}`,
    }));
  }
  const given = sample.acquisition?.span;
  if (typeof given !== "number" || Math.abs(given - span) < 1e-6) return;
  throw new RangeError(explain({
    what: `a sinogram whose detector spans ±${given} half-widths of the field, for one of ±${span}`,
    where: placeOf(sample),
    fix: "set detector to circle (1) or square (√2 for square images), as the sinogram was made",
  }));
}

function requireOneShape(sample: Measurable, image: Image, measurement: Image): void {
  if (sameShape(image.shape, measurement.shape)) return;
  throw new TypeError(explain({
    what: `a pair of normal dose [${image.shape}] and low dose [${measurement.shape}]`,
    where: placeOf(sample),
    fix: "give images of one shape, registered; a sinogram needs acquisition.noiseFree: true",
  }));
}
