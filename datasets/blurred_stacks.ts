/**
 * Stacks of widefield microscopes made ready to learn from: parts under names of their own, tiles of one size, and what
 * measurements lack, sharp images.
 */

import { explain } from "../core/errors.ts";
import { type Image, scaled } from "../core/image.ts";
import type { Contents, Dataset, Sample, Subject } from "./dataset.ts";
import { joined, type Portion, portionsOf } from "./joined.ts";
import { type Levels, LevelsOfStack } from "./levels.ts";
import { partsOf, requireDifferent } from "./stack_parts.ts";
import { tiled } from "./tiles.ts";

const levelsNote =
  "Brightness 1 is a thin structure that the believed point spread function leaves as bright as the brightest thousandth of what is learned from and for validation; blind methods have this one number, and the size of their kernel, of that function. A stack for test alone has levels of its own.";

/** How stacks are made ready. */
export interface BlurredStackSettings {
  /** Side of the images that are learned from, of volumes in all directions. */
  readonly side: number;
  /** By how much they are higher and wider than their measurements. */
  readonly margin: number;
  /** By how much volumes are deeper than their measurements. */
  readonly marginDepth?: number;
  /**
   * Sharp images of that side to learn towards, one subject, where the stacks are measurements; `pixelNm` is the size of
   * their pixels, `[row, column]` or `[slice, row, column]`, undefined where nobody knows it.
   */
  images(pixelNm: readonly number[] | undefined): Dataset;
}

/**
 * The stacks with every part that learning needs, by their roles. All parts are cut into tiles, of planes where there are
 * some for each part, else of what there is.
 *
 * - **Measurements**: one part to learn from (`y`), one for validation, one for test; `x` are sharp images from elsewhere,
 *   which the stack's own camera and point spread function are simulated on.
 * - **Images** (stacks whose names say that they are a truth): a part for `x` besides. Their brightest places have the
 *   value 1.
 *
 * @throws {UsageError} where two stacks are the same.
 * @throws {RangeError} where an image is smaller than a tile.
 */
export function readyToDeconvolve(stacks: Dataset, settings: BlurredStackSettings): Dataset {
  const { contents } = stacks;
  requireDifferent(contents.subjects);
  return contents.holds === "images" ? ofImages(stacks, settings) : ofMeasurements(stacks, settings);
}

const simulatedBanner =
  "The stack is taken for the truth: its blur and noise are simulated, and no measurement of it is read.";

function ofImages(stacks: Dataset, { side }: BlurredStackSettings): Dataset {
  const { dataset: parts, banners } = cut(stacks, [side, side, side], "images");
  const dataset = brightened(parts);
  const about = { banners: [...stacks.contents.banners, simulatedBanner, ...banners], unit: "brightness" };
  return { ...dataset, contents: { ...dataset.contents, ...about } };
}

function ofMeasurements(stacks: Dataset, settings: BlurredStackSettings): Dataset {
  const { side, margin, marginDepth = margin, images } = settings;
  const { contents } = stacks;
  const sides = [side - marginDepth, side - margin, side - margin];
  const { dataset, banners, learned } = cut(stacks, sides, "measurements");
  // Through millimetres and back, nanometres must not change.
  const sharp = images(contents.pixelSizeMm?.map((mm) => Number((mm * 1e6).toPrecision(12))));
  const [{ id, samples }] = sharp.contents.subjects;
  // One camera and one kernel for all: what is simulated is to look like what networks learn from.
  const likeStack = async (): Promise<Pick<Sample, "kernel" | "acquisition">> => {
    const { kernel, acquisition } = await dataset.sample(learned.id, learned.samples[0]);
    return { kernel, acquisition };
  };
  let like: ReturnType<typeof likeStack> | undefined;
  const x: Dataset = {
    ...portionsOf(sharp, [{ of: id, role: "x" }]),
    async sample(subject, sample) {
      return { ...await sharp.sample(subject, sample), ...await (like ??= likeStack()) };
    },
  };
  const { kind, name, unit, holds, pixelSizeMm } = contents;
  const all = joined([x, dataset], {
    ...{ kind, name, unit, holds, pixelSizeMm },
    banners: [...contents.banners, ...banners],
    notes: [
      ...contents.notes,
      `Sharp images to learn from, and for supervised methods to be measured as the stack is believed to be, are simulated: ${samples.length} of ${sharp.contents.name}.`,
      levelsNote,
    ],
  });
  return { ...all, close: () => stacks.close() };
}

/**
 * Cut into parts and tiles, which first depends on how many samples a stack has; and the part that is learned from. `sides`
 * are of volumes, the depth first.
 */
function cut(
  stacks: Dataset,
  sides: readonly number[],
  gives: "measurements" | "images",
): { dataset: Dataset; banners: readonly string[]; learned: Subject } {
  const [subject] = stacks.contents.subjects;
  const side = sides.slice(-subject.shape.length + 1);
  requireRoom(stacks.contents, side);
  const everyPart = 4;
  const isThin = stacks.contents.subjects.some(({ samples }) => samples.length < everyPart);
  const cuttable = isThin ? tiled(stacks, side) : stacks;
  const { parts, spare, banners } = partsOf(
    cuttable.contents.subjects,
    gives,
    "neighbours in the same stack",
  );
  const portions: readonly Portion[] = [...spare.map(({ of }) => ({ of, role: "y" as const })), ...parts];
  const portioned = portionsOf(cuttable, portions);
  const dataset = levelled(isThin ? portioned : tiled(portioned, side), portions);
  const { of, id = of } = parts.find(({ role }) => role !== "x")!;
  return { dataset, banners, learned: dataset.contents.subjects.find((one) => one.id === id)! };
}

/**
 * The same with the levels of what is learned from and for validation, in place of those of whole stacks: what is tested on
 * decides nothing of them. A stack that is for test alone, whose exposure is its own, has its own.
 */
function levelled(dataset: Dataset, portions: readonly Portion[]): Dataset {
  const { contents } = dataset;
  const stackOf = new Map(portions.map(({ of, id = of }) => [id, of]));
  const sourcesOf = (stack: string) => {
    const own = contents.subjects.filter(({ id }) => stackOf.get(id) === stack);
    const learned = own.filter(({ role }) => role !== "test");
    return learned.length > 0 ? learned : own;
  };
  async function* valuesOf(stack: string): AsyncGenerator<Float32Array> {
    for (const { id, samples } of sourcesOf(stack)) {
      for (const name of samples) {
        const { image, measurement } = await dataset.sample(id, name);
        yield (measurement ?? image)!.data;
      }
    }
  }
  const known = new Map<string, Promise<Levels>>();
  const levelsOf = (stack: string) => {
    const levels = known.get(stack) ?? readLevels(() => valuesOf(stack));
    known.set(stack, levels);
    return levels;
  };
  return {
    contents: { ...contents, subjects: contents.subjects.map(({ levels: _, ...subject }) => subject) },
    close: () => dataset.close(),
    async sample(subject, id) {
      const sample = await dataset.sample(subject, id);
      const { low, high } = await levelsOf(stackOf.get(subject)!);
      return { ...sample, acquisition: { ...sample.acquisition, low, high } };
    },
  };
}

async function readLevels(values: () => AsyncIterable<Float32Array>): Promise<Levels> {
  const watch = new LevelsOfStack(false);
  for await (const some of values()) watch.add(some);
  return await watch.result(values);
}

function requireRoom({ subjects }: Contents, sides: readonly number[]): void {
  for (const { id, shape } of subjects) {
    const extents = shape.slice(0, -1);
    if (extents.every((extent, axis) => extent >= sides[axis])) continue;
    const [isVolume, tile] = [extents.length === 3, sides.join(" x ")];
    throw new RangeError(explain({
      what: isVolume
        ? `it has ${extents[0]} planes of ${
          extents.slice(1).join(" x ")
        } pixels, and is cut into cubes of ${tile}`
        : `it is ${extents.join(" x ")} pixels, and is cut into tiles of ${tile}`,
      where: `subject "${id}"`,
      fix:
        `give a larger stack, or smaller ${isVolume ? "cubes" : "tiles"} by --set matrix=N, from which of ` +
        `measurements the margin is taken away${
          isVolume ? "; deno task bench deconvolution takes planes" : ""
        }`,
    }));
  }
}

/** Images whose brightest places, the `high` level, have the value 1; nothing else is said of them than how large pixels are. */
function brightened(dataset: Dataset): Dataset {
  return {
    contents: dataset.contents,
    close: () => dataset.close(),
    async sample(subject, id) {
      const { acquisition, image, reference, ...rest } = await dataset.sample(subject, id);
      const factor = 1 / (Number(acquisition!.high) || 1);
      const bright = (name: string, values?: Image) =>
        values === undefined ? {} : { [name]: scaled(values, factor) };
      const { pixelSizeNm = null } = acquisition!;
      return {
        ...rest,
        ...bright("image", image),
        ...bright("reference", reference),
        acquisition: { pixelSizeNm },
      };
    },
  };
}
