/**
 * Stacks of localisation microscopy made ready to learn from: frames of each part under names of their own, small tiles of
 * those to learn from, and what stacks lack, images of emitters.
 */

import { explain, UsageError } from "../core/errors.ts";
import { emitterImage, shifted } from "../core/points.ts";
import { type EmitterSettings, randomEmitters } from "./blinking.ts";
import type { Dataset, Sample, Subject } from "./dataset.ts";
import { joined, type Portion, portionsOf } from "./joined.ts";
import { partsOf, requireDifferent } from "./stack_parts.ts";
import { tiled } from "./tiles.ts";

/** Where images of emitters come from: drawn at random, or from stacks whose truth is known and whose name says `train`. */
export const sharpSources: readonly string[] = ["random", "train-frames"];

/** How stacks are made ready. */
export interface EmitterStackSettings extends Pick<EmitterSettings, "factor" | "reach" | "stream"> {
  /** Side of the tiles that are learned from, in camera pixels. */
  readonly tile: number;
  /** One of {@linkcode sharpSources}. */
  readonly sharp: string;
  /** How many random images there are, and the least and greatest density of their emitters, per µm². */
  readonly images: number;
  readonly densities: readonly [least: number, most: number];
  /** Of a camera pixel, where the stacks do not say it. */
  readonly pixelNm: number;
  /** σ of a spot as it is believed to be, which the table says. */
  readonly psfSigmaNm: number;
}

/**
 * The stacks with every part that learning needs, by their roles:
 *
 * - `test`: the stacks whose names say so; else all but the first (as B. Sim et al. 2020 have it, arXiv:1909.12116, section
 *   4.2), of a single one its last three ninths.
 * - `validation`: the last tenth of the frames that are left, of a single stack the ninth before its test.
 * - `y`: the others, in tiles. Where there is room, a frame between two parts is nobody's.
 * - `x`: random emitters, from fewer to more than a stack may have, for its camera to see; or, in tiles, the stacks whose
 *   names say that they are for training while others are to be tested on. Those are else left out.
 *
 * @throws {UsageError} where two stacks are the same, or training stacks are asked for and there are none.
 */
export function readyToLearn(stacks: Dataset, settings: EmitterStackSettings): Dataset {
  const { contents } = stacks;
  const { tile, images, densities, factor, reach, stream, pixelNm, psfSigmaNm } = settings;
  requireDifferent(contents.subjects);
  const { spare, parts, banners } = partsOf(contents.subjects, "measurements", "frames of the same field");
  const learned = contents.subjects.find(({ id }) => id === parts[0].of)!;
  const size = Math.min(tile, ...learned.shape.slice(0, 2));
  // One camera for all: what is simulated or calibrated is to look like what networks learn from.
  const camera = { ...learned.levels } as unknown as NonNullable<Sample["acquisition"]>;
  const portions = (list: readonly Portion[]) => list.length === 0 ? [] : [portionsOf(stacks, list)];
  const of = (role: Subject["role"]) => parts.filter((portion) => portion.role === role);
  const isRandom = settings.sharp === "random";
  if (!isRandom && spare.length === 0) {
    throw new UsageError({
      what: "no stack is for training alone",
      where: "--set sharp=train-frames",
      fix:
        "add one whose name starts with train_, with its table of emitters beside it, or take sharp=random",
    });
  }
  const [pixelMm] = contents.pixelSizeMm ?? [];
  // Through millimetres and back, nanometres must not change.
  const pixel = pixelMm === undefined ? pixelNm : Number((pixelMm * 1e6).toPrecision(12));
  const common = { subjects: 1, size, pixelNm: pixel, factor, reach, stream };
  const x = isRandom
    ? portionsOf(randomEmitters({ ...common, frames: images, density: densities, acquisition: camera }), [
      { of: "points-001", role: "x" },
    ])
    : withImages(tiled(portionsOf(stacks, spare), size, reach), common, camera);
  const { kind, name, unit, holds, pixelSizeMm } = contents;
  const all = joined([
    x,
    ...portions(of("y")).map((dataset) => tiled(dataset, size)),
    ...portions([...of("validation"), ...of("test")]),
  ], {
    ...{ kind, name, unit, holds, pixelSizeMm },
    banners: [...contents.banners, ...banners],
    notes: [
      ...contents.notes,
      `A spot is believed to have σ ${psfSigmaNm} nm, and a camera pixel ${pixel} nm: --psf-sigma-nm and --pixel-nm say otherwise.`,
      "How bright the camera's background and a typical emitter are is read off all frames of a stack, those of the test among them.",
      isRandom
        ? `Images to learn from are simulated: ${images} of random emitters, ${
          densities.join(" to ")
        } in a µm².`
        : `Images to learn from are the true emitters of ${spare.map(({ of }) => of).join(", ")}.`,
      ...(isRandom && spare.length > 0
        ? [
          `${spare.map(({ of }) => of).join(", ")} was left out; --set sharp=train-frames learns from it.`,
        ]
        : []),
    ],
  });
  // The parts share the files.
  return { ...all, close: () => stacks.close() };
}

/** Measurements of known emitters with their images, and said to be taken by this camera. */
function withImages(
  dataset: Dataset,
  { pixelNm, factor, reach }: Pick<EmitterStackSettings, "pixelNm" | "factor" | "reach">,
  camera: NonNullable<Sample["acquisition"]>,
): Dataset {
  const { contents } = dataset;
  const sideOf = (extent: number) => (extent + 2 * reach) * factor;
  const subjects = contents.subjects.map((subject) => {
    const [height, width] = subject.shape;
    return { ...subject, shape: [sideOf(height), sideOf(width), 1] };
  });
  return {
    ...dataset,
    contents: { ...contents, subjects },
    async sample(subject, id) {
      const sample = await dataset.sample(subject, id);
      const { emitters, measurement } = sample;
      if (emitters === undefined) {
        throw new TypeError(explain({
          what: "a stack to learn from needs its emitters",
          where: `subject "${subject}", sample "${id}"`,
          fix: "put their table beside it, e.g. train_ground_truth.csv beside train_frames.tif",
        }));
      }
      const [height, width] = measurement!.shape.map(sideOf);
      const grid = { height, width, pixelNm: pixelNm / factor };
      return {
        ...sample,
        image: emitterImage(shifted(emitters, reach * pixelNm), grid),
        acquisition: { ...sample.acquisition, ...camera },
      };
    },
  };
}
