/**
 * Stacks of widefield microscopes made ready to learn from: parts under names of their own, tiles of one size, and what
 * measurements lack, sharp images.
 */

import { explain } from "../core/errors.ts";
import { type Image, scaled } from "../core/image.ts";
import type { Contents, Dataset, Sample, Subject } from "./dataset.ts";
import { joined, type Portion, portionsOf } from "./joined.ts";
import { partsOf, requireDifferent } from "./stack_parts.ts";
import { tiled } from "./tiles.ts";

/** How stacks are made ready. */
export interface BlurredStackSettings {
  /** Side of the images that are learned from, of volumes in all directions. */
  readonly side: number;
  /** By how much they are larger than their measurements. */
  readonly margin: number;
  /**
   * Sharp images of that side to learn towards, one subject, where the stacks are measurements; `pixelNm` is the size of
   * their pixels, undefined where nobody knows it.
   */
  images(pixelNm: number | undefined): Dataset;
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

function ofImages(stacks: Dataset, { side }: BlurredStackSettings): Dataset {
  const { dataset, banners } = cut(brightened(stacks), side, "images");
  const about = { banners: [...stacks.contents.banners, ...banners], unit: "brightness" };
  return { ...dataset, contents: { ...dataset.contents, ...about } };
}

function ofMeasurements(stacks: Dataset, { side, margin, images }: BlurredStackSettings): Dataset {
  const { contents } = stacks;
  const { dataset, banners, learned } = cut(stacks, side - margin, "measurements");
  const pixel = contents.pixelSizeMm?.at(-1);
  // Through millimetres and back, nanometres must not change.
  const sharp = images(pixel === undefined ? undefined : Number((pixel * 1e6).toPrecision(12)));
  const [{ id, samples }] = sharp.contents.subjects;
  // One camera and one kernel for all: what is simulated is to look like what networks learn from.
  const likeStack = async (): Promise<Pick<Sample, "kernel" | "acquisition">> => {
    const { kernel, acquisition } = await stacks.sample(learned.id, learned.samples[0]);
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
    ],
  });
  return { ...all, close: () => stacks.close() };
}

/** Cut into parts and tiles, which first depends on how many samples a stack has; and the stack that is learned from. */
function cut(
  stacks: Dataset,
  side: number,
  gives: "measurements" | "images",
): { dataset: Dataset; banners: readonly string[]; learned: Subject } {
  requireRoom(stacks.contents, side);
  const parts = (contents: Contents) => partsOf(contents.subjects, gives, "neighbours in the same stack");
  const everyPart = 4;
  const isThin = stacks.contents.subjects.some(({ samples }) => samples.length < everyPart);
  const cuttable = isThin ? tiled(stacks, side) : stacks;
  const { parts: portions, spare, banners } = parts(cuttable.contents);
  const all: readonly Portion[] = [...spare.map(({ of }) => ({ of, role: "y" as const })), ...portions];
  const dataset = portionsOf(cuttable, all);
  const learned = stacks.contents.subjects.find(({ id }) => id === portions[0].of)!;
  return { dataset: isThin ? dataset : tiled(dataset, side), banners, learned };
}

function requireRoom({ subjects }: Contents, side: number): void {
  for (const { id, shape } of subjects) {
    const extents = shape.slice(0, -1);
    if (extents.every((extent) => extent >= side)) continue;
    throw new RangeError(explain({
      what: `it is ${extents.join(" x ")} pixels, and a tile ${side} along each axis`,
      where: `subject "${id}"`,
      fix:
        "give a larger stack, or smaller tiles by --set matrix=N; a measurement's tile is matrix less the margin",
    }));
  }
}

/** Images whose brightest places, the stack's `high` level, have the value 1. */
function brightened(stacks: Dataset): Dataset {
  const subjects = new Map(stacks.contents.subjects.map((subject) => [subject.id, subject]));
  const highOf = ({ levels }: Subject) => (levels as { high?: number } | undefined)?.high ?? 1;
  return {
    contents: stacks.contents,
    close: () => stacks.close(),
    async sample(subject, id) {
      const { acquisition: _, image, reference, ...rest } = await stacks.sample(subject, id);
      const factor = 1 / (highOf(subjects.get(subject)!) || 1);
      const bright = (name: string, values?: Image) =>
        values === undefined ? {} : { [name]: scaled(values, factor) };
      return { ...rest, ...bright("image", image), ...bright("reference", reference) };
    },
  };
}
