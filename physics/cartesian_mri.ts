/**
 * Accelerated MRI: Cartesian k-space lines are left out, and what was measured is taken back to image space.
 */

import * as tf from "@tensorflow/tfjs-core";
import { explain } from "../core/errors.ts";
import { type Image, magnitude } from "../core/image.ts";
import type { Json } from "../core/json.ts";
import { type Rng, stream } from "../core/random.ts";
import type { Settings, Values } from "../core/settings.ts";
import type { Acquisition, Measurable, Measured } from "./acquisition.ts";
import { combineCoils, estimateSensitivities, multiCoilFourier } from "./coils.ts";
import { aliasing, maskedFourier } from "./fourier.ts";
import { drawLines, fastmriLines, type Lines, type MaskKind, maskKinds, requireLines } from "./masks.ts";
import { placeOf } from "./measuring.ts";
import type { Operator } from "./operator.ts";

/** What a benchmark may set of {@linkcode cartesianMri}. */
export const cartesianSettings = {
  acceleration: {
    default: 4,
    min: 1,
    max: 64,
    about: "how many times fewer k-space lines than a full measurement",
  },
  acs: { default: 0.08, min: 0, max: 1, about: "share of k-space lines in the fully measured centre" },
  mask: {
    default: maskKinds[0] as string,
    choices: maskKinds as readonly string[],
    about:
      "how lines are chosen; fastmri and fastmri-equispaced are fastMRI's own, seeded by the file's name",
  },
  masks: {
    default: 1,
    min: 1,
    max: 10_000,
    whole: true,
    about: "how many masks samples draw from; 1: all samples share one (fastMRI's have one a file)",
  },
} as const satisfies Settings;

/**
 * Accelerated MRI as an acquisition. A sample's `image` holds coil images `[height, width, 2·coils]`; lines
 * run along the height.
 *
 * - **One coil:** x is the image itself, the measurement F⁻¹PF x.
 * - **Several coils:** the measurement is F⁻¹PF of every coil image. Sensitivities S are estimated from the
 *   measured central lines (coils.ts), the operator is x ↦ F⁻¹PF S_c x, the image to reconstruct is x = Σ_c
 *   conj(S_c) of the fully measured coil images, and the reference for scores is their root sum of squares.
 *   Estimated sensitivities are not the true ones, so the measurement differs from A x a little even without
 *   noise.
 * - **Measured already** (`measurement` and `acquisition.lines`, the numbers of the measured lines): the
 *   operator follows from the lines; nothing is drawn.
 *
 * Masks are drawn from the stream `<taskStream>/mask/<width>/<number>`, and a sample picks its number from
 * its own stream. fastMRI's masks are seeded by `acquisition.file`, the name of the sample's file, or by the
 * subject where there is none.
 *
 * @param taskStream names the randomness of the task.
 */
export function cartesianMri(
  settings: Values<typeof cartesianSettings>,
  taskStream: string,
): Acquisition {
  const { acceleration, acs, masks } = settings;
  const kind = settings.mask as MaskKind;
  const drawn = new Map<string, Lines>();
  const oneCoil = new Map<string, Operator>();

  function linesFor(width: number, sample: Measurable, rng: Rng): Lines {
    if (kind === "fastmri" || kind === "fastmri-equispaced") {
      const file = sample.acquisition?.file;
      const name = typeof file === "string" ? file : sample.subject;
      return remembered(
        drawn,
        `${width}/${name}`,
        () => fastmriLines(width, { kind, acceleration, acs }, name),
      );
    }
    const name = `${width}/${rng.stream("mask").integer(masks)}`;
    return remembered(
      drawn,
      name,
      () => drawLines(width, { kind, acceleration, acs }, stream(`${taskStream}/mask/${name}`)),
    );
  }

  function operatorFor(measurement: Image, lines: Lines): {
    readonly operator: Operator;
    readonly combine: (coilImages: Image) => Image;
  } {
    const [height, width, channels] = measurement.shape;
    if (channels === 2) {
      const key = `${height}/${width}/${lines}`;
      const operator = remembered(oneCoil, key, () => maskedFourier(height, width, lines));
      return { operator, combine: (image) => image };
    }
    // Sensitivities are a measurement's own, also of a mirrored sample's, so no two share an operator.
    const sensitivities = estimateSensitivities(measurement, lines);
    return {
      operator: multiCoilFourier(sensitivities, lines),
      combine: (coilImages) => combineCoils(sensitivities, coilImages),
    };
  }

  return {
    name: "cartesian-mri",
    settings: { ...settings, stream: `${taskStream}/mask` },
    async measure(sample, rng): Promise<Measured> {
      const width = requireCoilImages(sample);
      const lines = sample.measurement === undefined
        ? linesFor(width, sample, rng)
        : givenLines(sample, width);
      const measurement = await zeroFilled(sample.measurement ?? sample.image!, lines);
      if (sample.measurement !== undefined) requireNothingElse(sample, measurement);

      const { operator, combine } = operatorFor(measurement, lines);
      if (sample.image === undefined) return { operator, measurement };
      const image = combine(sample.image);
      const reference = sample.reference ?? (image === sample.image ? undefined : magnitude(sample.image));
      return { operator, measurement, image, ...(reference === undefined ? {} : { reference }) };
    },
  };
}

/** F⁻¹PF of every coil image. */
async function zeroFilled(coilImages: Image, lines: Lines): Promise<Image> {
  const [height, width, channels] = coilImages.shape;
  const result = tf.tidy(() => {
    const split = tf.tensor(coilImages.data, [height, width, channels / 2, 2]);
    const aliased = aliasing(width, lines)(tf.transpose(split, [2, 0, 1, 3]));
    return tf.transpose(aliased, [1, 2, 0, 3]);
  });
  const data = (await result.data()) as Float32Array;
  result.dispose();
  return { shape: coilImages.shape, data };
}

function remembered<T>(known: Map<string, T>, key: string, make: () => T): T {
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
}

/** The width of a sample's coil images. */
function requireCoilImages(sample: Measurable): number {
  const shape = (sample.measurement ?? sample.image)?.shape ?? [];
  const alike = sample.image === undefined ||
    sample.image.shape.every((extent, axis) => extent === shape[axis]);
  if (shape.length !== 3 || shape[2] < 2 || shape[2] % 2 !== 0 || !alike) {
    throw new TypeError(explain({
      what: `MRI is measured from complex coil images [height, width, 2·coils], not [${shape}]`,
      where: placeOf(sample),
      fix: alike
        ? "give real and imaginary part of each coil as two channels"
        : `give image and measurement one shape; the image is [${sample.image!.shape}]`,
    }));
  }
  return shape[1];
}

function givenLines(sample: Measurable, width: number): Lines {
  const lines: Json | undefined = sample.acquisition?.lines;
  if (!Array.isArray(lines) || !lines.every((line) => typeof line === "number")) {
    throw new TypeError(explain({
      what: "a measurement without the numbers of its k-space lines",
      where: placeOf(sample),
      fix: "give acquisition.lines: the measured lines, counted along the width",
    }));
  }
  requireLines(width, lines);
  return [...lines].sort((a, b) => a - b);
}

// Rounding to float32 and back through an FFT stays far below this share of the signal.
const strayShare = 1e-3;

/**
 * Refuses a measurement that holds signal on lines that it says were not measured: another operator made it.
 */
function requireNothingElse(sample: Measurable, onLines: Image): void {
  const given = sample.measurement!.data;
  let [stray, all] = [0, 0];
  for (let i = 0; i < given.length; i++) {
    stray += (given[i] - onLines.data[i]) ** 2;
    all += given[i] ** 2;
  }
  if (stray <= strayShare ** 2 * all) return;
  throw new RangeError(explain({
    what:
      `${
        (100 * Math.sqrt(stray / all)).toPrecision(2)
      } % of the measurement lies on k-space lines that, as ` +
      "acquisition.lines has it, were not measured",
    where: placeOf(sample),
    fix:
      "check the mask's order (lowest frequency at ⌊width/2⌋) and that k-space was not cropped after masking",
  }));
}
