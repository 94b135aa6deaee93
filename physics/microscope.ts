/**
 * A widefield microscope: a specimen is blurred by the point spread function, light comes from outside the field of view,
 * and a camera counts photons. The benchmark believes in one function (that of its optics, or of a file) and may measure
 * with another (`measuredWith`), as it happens when a microscope is not what its data sheet says.
 *
 * Values are brightness: a thin structure of brightness 1 is as bright as the brightest. The image is larger than the
 * measurement by `margin` pixels along each axis, of volumes by `marginDepth` along the optical one.
 */

import { explain, UsageError } from "../core/errors.ts";
import { type Image, sameShape, scaled } from "../core/image.ts";
import { canonicalJson, sha256 } from "../core/json.ts";
import type { Rng } from "../core/random.ts";
import type { Settings, Values } from "../core/settings.ts";
import type { Acquisition, Measurable, Measured } from "./acquisition.ts";
import { type Camera, noiseOf, photographed } from "./camera.ts";
import { convolution, convolutionForm } from "./convolution.ts";
import type { Form } from "./form.ts";
import { applied, placeOf } from "./measuring.ts";
import type { Noise } from "./noise.ts";
import type { Operator, Shape } from "./operator.ts";
import {
  croppedKernel,
  otherSpread,
  type PointSpread,
  pointSpread,
  ridgeBrightness,
  stretchOf,
} from "./point_spread.ts";

/** What a benchmark of images may set of {@linkcode microscope}. */
export const microscopeSettings = {
  na: { default: 1.4, min: 0.01, max: 4, about: "numerical aperture" },
  refractiveIndex: { default: 1.5, min: 1, max: 4, about: "refractive index of the immersion" },
  wavelengthNm: { default: 500, min: 1, max: 1e5, about: "wavelength of the light in vacuum, in nm" },
  pixelNm: {
    default: "",
    about: "pixel size in nm, of volumes X,Z; empty: as the data say, and 65 where they do not",
  },
  psf: {
    default: "",
    about:
      "TIFF file of the point spread function, whose brightest value is its middle; empty: one beside the data, or the optics'",
  },
  psfSigmaNm: {
    default: 0,
    min: 0,
    max: 1e6,
    about: "σ in nm of a Gaussian in place of the optics' point spread function; 0: Born and Wolf's",
  },
  psfSide: { default: 15, min: 1, max: 255, whole: true, about: "most pixels along a kernel's side; odd" },
  thicknessNm: {
    default: 1200,
    min: 0,
    max: 1e6,
    about: "thickness of the specimen in nm, over which an image's kernel is the mean of nine planes",
  },
  margin: {
    default: 16,
    min: 0,
    max: 1024,
    whole: true,
    about: "by how many pixels an image is higher and wider than its measurement; psfSide − 1 or more",
  },
  measuredWith: {
    default: "",
    about:
      "what truly makes the measurements: a wavelength (610nm; a file's function is stretched by its ratio to wavelengthNm), the function stretched (s1.3), a Gaussian of σ in pixels (g2.62), or a TIFF file; empty: what is believed",
  },
  photons: {
    default: 200,
    min: 1e-3,
    max: 1e9,
    about:
      "photoelectrons of a pixel of brightness 1; of a stack, of its brightest ones, unless cameraGain says what it counted",
  },
  background: { default: 0, min: 0, max: 1e9, about: "photoelectrons of a dark pixel, likewise" },
  readNoise: { default: 4, min: 0, max: 1e6, about: "standard deviation of the read-out, in photoelectrons" },
  cameraOffset: { default: 0, min: -1e6, max: 1e6, about: "counts of a stack's pixel that no light reaches" },
  cameraGain: {
    default: 0,
    min: 0,
    max: 1e6,
    about: "counts of a stack's camera a photoelectron; 0: nobody knows",
  },
} as const satisfies Settings;

/** What a benchmark of volumes may set besides. */
export const volumeMicroscopeSettings = {
  ...microscopeSettings,
  // A thin structure keeps .16 of its brightness, in the plane .40: as many photons in the brightest pixels.
  photons: { ...microscopeSettings.photons, default: 500 },
  psfSide: { ...microscopeSettings.psfSide, default: 9 },
  psfDepth: { default: 9, min: 1, max: 255, whole: true, about: "most planes of a kernel; odd" },
  margin: { ...microscopeSettings.margin, default: 8 },
  marginDepth: {
    default: 8,
    min: 0,
    max: 1024,
    whole: true,
    about: "by how many planes a volume is deeper than its measurement; psfDepth − 1 or more",
  },
} as const satisfies Settings;

type MicroscopeValues =
  & Values<typeof microscopeSettings>
  & Partial<Pick<Values<typeof volumeMicroscopeSettings>, "psfDepth" | "marginDepth">>;

/** Of a pixel, and from plane to plane, where neither data nor settings say it. */
export const usualPixelNm = 65;
/** σ in pixels of the profile of what counts as a thin structure: that of the simulated microtubules. */
const thinSigma = 0.9;
/** Planes that stand for a specimen's thickness. */
const planes = 9;

/**
 * The microscope as an acquisition, by what a sample holds:
 *
 * - **An `image`** alone, in brightness: it is blurred and photographed, by `measure` with what truly measures, by
 *   `simulate` with what is believed. The measurement is smaller than the image.
 * - **A `measurement`**, in camera counts where `acquisition` says the stack's `low` and `high` (the levels of its
 *   background and of its brightest pixels), else in brightness. A thin structure of brightness 1 is measured as bright as
 *   those pixels; nothing is drawn. The image is larger than the measurement, and nobody knows it all; an `image` or
 *   `reference` of the measurement's size is its truth, what scores are computed against. Truth and measurement may have
 *   units of their own: the truth is multiplied by the one number that, together with a constant background, makes its blur
 *   agree best with the measurement.
 *
 * A sample's `kernel` (a file's), or else the file `psf`, is the function believed in place of the optics', in both cases; so that images may be
 * simulated as a stack was measured, they say its `acquisition` too. Operators state no more than Σ|h| as norm.
 *
 * @param taskStream names the randomness of the task; noise comes from the sample's own stream.
 * @param readKernel reads a file that `psf` or `measuredWith` names.
 */
export function microscope(
  settings: MicroscopeValues,
  taskStream: string,
  readKernel?: (path: string) => Promise<Image>,
): Acquisition {
  requireRoom(settings);
  const setups = new Map<string, Promise<Setup>>();
  const setupFor = (sample: Measurable): Promise<Setup> => {
    const { kernel, acquisition: { low, high, pixelSizeNm } = {} } = sample;
    const key = canonicalJson([
      imageShapeOf(sample, settings),
      [low ?? null, high ?? null, pixelSizeNm ?? null],
      kernel === undefined ? null : hashOf(kernel),
    ]);
    const setup = setups.get(key) ?? setUp(sample, settings, readKernel);
    setups.set(key, setup);
    return setup;
  };
  const look = async (sample: Measurable, rng: Rng, truly: boolean): Promise<Measured> => {
    const setup = await setupFor(sample);
    const { operator, form, noise } = setup;
    const pixelNm = sizeOfPixel(sample, settings);
    const told = { operator, form, noise, ...(pixelNm && { pixelNm }) };
    if (sample.measurement !== undefined) return { ...told, ...await looked(sample, setup) };
    const { kernel, operator: used } = truly ? setup.truly : setup;
    const { data: expected } = await applied(used.forward, sample.image!);
    const data = photographed(expected, setup.camera, rng);
    return { ...told, kernel, image: sample.image!, measurement: { shape: operator.measurementShape, data } };
  };
  return {
    name: "microscope",
    settings: { ...settings, stream: taskStream },
    measure: (sample, rng) => look(sample, rng, true),
    simulate: (sample, rng) => look(sample, rng, false),
  };
}

/** What all samples of one size, of one stack, are measured with. */
interface Setup {
  readonly operator: Operator;
  readonly form: Form;
  readonly noise: Noise;
  readonly camera: Camera;
  readonly kernel: Image;
  /** What truly makes the measurements. */
  readonly truly: { readonly operator: Operator; readonly kernel: Image };
  /** Brightness of a stack's counts. */
  brightness(counts: Image): Image;
}

async function setUp(
  sample: Measurable,
  settings: MicroscopeValues,
  readKernel?: (path: string) => Promise<Image>,
): Promise<Setup> {
  const where = placeOf(sample);
  const imageShape = imageShapeOf(sample, settings);
  const measurementShape = widened(imageShape, settings, -1);
  const spread = spreadOf(sample, settings);
  const { psf, measuredWith } = settings;
  const given = sample.kernel ?? (psf === "" ? undefined : await readKernel?.(psf));
  const believed = given === undefined ? pointSpread(spread) : croppedKernel(given, spread.shape, where);
  const other = measuredWith === "" || sample.measurement !== undefined
    ? believed
    : await otherKernel(measuredWith, spread, given, readKernel);
  const operatorOf = (kernel: Image): Operator =>
    convolution({ imageShape, measurementShape, kernelShape: kernel.shape }, kernel);
  const operator = operatorOf(believed);

  const { low, high } = (sample.acquisition ?? {}) as Record<string, unknown>;
  const isCounted = isNumber(low) && isNumber(high) && high > low;
  const brightest = ridgeBrightness(believed, thinSigma);
  const countsOfOne = isCounted ? (high - low) / brightest : 1;
  const camera = cameraOf(settings, isCounted ? { low, countsOfOne, brightest } : undefined);
  return {
    operator,
    form: convolutionForm(imageShape, believed.shape, measurementShape),
    noise: noiseOf(camera),
    camera,
    kernel: believed,
    truly: other === believed
      ? { operator, kernel: believed }
      : { operator: operatorOf(other), kernel: other },
    brightness: ({ shape, data }) => ({
      shape,
      data: isCounted ? data.map((count) => (count - low) / countsOfOne) : data,
    }),
  };
}

/** A stack's level of the background, how many counts brightness 1 is, and how bright its brightest pixels are. */
interface Levels {
  readonly low: number;
  readonly countsOfOne: number;
  readonly brightest: number;
}

/**
 * The camera as set; of a stack, as its levels and the calibration say, or where there is none, one that counts `photons` in
 * the brightest pixels.
 */
function cameraOf(settings: MicroscopeValues, levels?: Levels): Camera {
  const { photons, background, readNoise, cameraOffset, cameraGain } = settings;
  if (levels === undefined) return { photons, background, readNoise };
  if (cameraGain === 0) return { photons: photons / levels.brightest, background, readNoise };
  return {
    photons: levels.countsOfOne / cameraGain,
    background: Math.max(0, (levels.low - cameraOffset) / cameraGain),
    readNoise,
  };
}

/** A sample that was measured already. */
async function looked(sample: Measurable, { operator, kernel, brightness }: Setup): Promise<
  Pick<Measured, "measurement" | "reference" | "kernel">
> {
  const measurement = brightness(sample.measurement!);
  const known = { measurement, ...(sample.kernel && { kernel }) };
  const truth = sample.reference ?? sample.image;
  if (truth === undefined) return known;
  if (!sameShape(truth.shape, measurement.shape)) {
    throw new TypeError(explain({
      what: `a truth [${truth.shape}] of a measurement [${measurement.shape}]`,
      where: placeOf(sample),
      fix: "give both of one size, registered",
    }));
  }
  // A tile with nothing in it says nothing of the number: 0 is 0 in any unit, and of other constants nobody knows.
  if (truth.data.every((value) => value === truth.data[0])) {
    return truth.data[0] === 0 ? { ...known, reference: truth } : known;
  }
  // Beyond the field nobody knows the truth; its mirror images do for a number that all pixels share.
  const blurred = await applied((image) => operator.forward(operator.approximateInverse!(image)), truth);
  const factor = slope(blurred.data, measurement.data);
  if (!(factor > 0)) {
    throw new RangeError(explain({
      what: "its truth, blurred, does not look like it",
      where: placeOf(sample),
      fix: "give the truth that belongs to it, or its point spread function by --psf",
    }));
  }
  return { ...known, reference: scaled(truth, factor) };
}

/** The b that makes a + b·x closest to y. */
function slope(x: Float32Array, y: Float32Array): number {
  const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(x), mean(y)];
  let [products, squares] = [0, 0];
  x.forEach((value, i) => {
    products += (value - meanX) * (y[i] - meanY);
    squares += (value - meanX) ** 2;
  });
  return products / squares;
}

/** The kernel of this name; `given` is the believed one's file, where it is of one. */
async function otherKernel(
  name: string,
  spread: PointSpread,
  given?: Image,
  readKernel?: (path: string) => Promise<Image>,
): Promise<Image> {
  const stretch = stretchOf(spread, name);
  if (given !== undefined && stretch !== undefined) return croppedKernel(given, spread.shape, name, stretch);
  const other = otherSpread(spread, name);
  if (other !== undefined) return pointSpread(other);
  if (readKernel !== undefined && isTiffName(name)) {
    return croppedKernel(await readKernel(name), spread.shape, name);
  }
  throw new UsageError({
    what: `measuredWith cannot be "${name}"`,
    where: "--set measured-with",
    fix: "give a wavelength (610nm), a stretched function (s1.3), a Gaussian (g2.62) or a TIFF file",
  });
}

/** Whether a name is that of a TIFF file, and not of a wavelength or a form. */
export function isTiffName(name: string): boolean {
  return /\.tiff?$/i.test(name);
}

function spreadOf(sample: Measurable, settings: MicroscopeValues): PointSpread {
  const { na, refractiveIndex, wavelengthNm, psfSide, psfDepth = 1, psfSigmaNm, thicknessNm } = settings;
  const isVolume = extentsOf(sample).length === 4;
  const size = sizeOfPixel(sample, settings) ?? [usualPixelNm];
  return {
    na,
    refractiveIndex,
    wavelengthNm,
    shape: isVolume ? [psfDepth, psfSide, psfSide, 1] : [psfSide, psfSide, 1],
    pixelNm: size.at(-1)!,
    stepNm: size[0],
    defociNm: Array.from({ length: planes }, (_, i) => (i / (planes - 1) - 0.5) * thicknessNm),
    sigmaNm: [psfSigmaNm, psfSigmaNm],
  };
}

/** `[row, column]`, of volumes `[slice, row, column]`, in nm: as set, else as the data say; undefined where nobody knows. */
function sizeOfPixel(sample: Measurable, { pixelNm }: MicroscopeValues): readonly number[] | undefined {
  const { acquisition } = sample;
  const isVolume = extentsOf(sample).length === 4;
  if (pixelNm !== "") {
    const [across, along = across, ...more] = pixelNm.split(",").map(Number);
    if (across > 0 && along > 0 && more.length === 0) {
      return isVolume ? [along, across, across] : [across, across];
    }
    throw new UsageError({
      what: `"${pixelNm}" is no size of a pixel`,
      where: "--pixel-nm",
      fix: isVolume ? "give X,Z in nm, e.g. 65,300" : "give X in nm, e.g. 65",
    });
  }
  const said = acquisition?.pixelSizeNm;
  if (Array.isArray(said) && said.length > 0 && said.every(isNumber)) return said as number[];
  // What is simulated, and not to look like a stack, has pixels as it is simulated with.
  return acquisition === undefined ? Array<number>(isVolume ? 3 : 2).fill(usualPixelNm) : undefined;
}

/** The image's shape: its own, or larger than the measurement. */
function imageShapeOf(sample: Measurable, settings: MicroscopeValues): Shape {
  const shape = extentsOf(sample);
  if (sample.measurement !== undefined) return widened(shape, settings, 1);
  if (widened(shape, settings, -1).some((extent) => extent < 1)) {
    throw new RangeError(explain({
      what: `an image [${shape}] is no larger than the margin`,
      where: placeOf(sample),
      fix: `give larger images, or --set margin=${settings.psfSide - 1}`,
    }));
  }
  return shape;
}

/** The shape with the margins added (1) or taken away (−1). */
function widened(shape: Shape, { margin, marginDepth = 0 }: MicroscopeValues, sign: 1 | -1): Shape {
  const margins = shape.length === 4 ? [marginDepth, margin, margin, 0] : [margin, margin, 0];
  return shape.map((extent, axis) => extent + sign * margins[axis]);
}

/** The shape of what the sample holds. */
function extentsOf(sample: Measurable): Shape {
  const shape = (sample.measurement ?? sample.image)?.shape ?? [];
  if ((shape.length === 3 || shape.length === 4) && shape.at(-1) === 1) return shape;
  throw new TypeError(explain({
    what: `a microscope shows [height, width, 1] or [depth, height, width, 1], not [${shape}]`,
    where: placeOf(sample),
    fix: "give images or volumes with one channel",
  }));
}

function requireRoom(
  { psf, psfSigmaNm, psfSide, psfDepth = 1, margin, marginDepth = 0 }: MicroscopeValues,
): void {
  if (psf !== "" && psfSigmaNm > 0) {
    throw new UsageError({
      what: "two point spread functions: one of a file, and a Gaussian",
      where: "--psf, --psf-sigma-nm",
      fix: "give one of them",
    });
  }
  for (
    const [name, kernel, room, by] of [
      ["psfSide", psfSide, margin, "margin"],
      ["psfDepth", psfDepth, marginDepth, "marginDepth"],
    ] as const
  ) {
    const [where, odd] = [`--set ${name}=${kernel}`, kernel % 2 === 1];
    if (odd && kernel - 1 <= room) continue;
    throw new UsageError(
      odd
        ? {
          what: `a kernel of ${kernel} pixels reaches beyond a margin of ${room}`,
          where,
          fix: `set ${by} to ${kernel - 1} or more`,
        }
        : { what: `a kernel of ${kernel} pixels has no middle one`, where, fix: "give an odd number" },
    );
  }
}

const hashes = new WeakMap<Float32Array, string>();

/** Worked out once for each array: a stack's samples share one kernel. */
function hashOf({ shape, data }: Image): string {
  const hash = hashes.get(data) ?? sha256(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  hashes.set(data, hash);
  return `${shape} ${hash}`;
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
