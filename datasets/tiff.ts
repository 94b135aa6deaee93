/**
 * TIFF stacks of microscopes, as single frames in time, as single planes along the optical axis, or as volumes.
 *
 * A file is a subject. What its pages are is what ImageJ or OME say; where they say nothing, pages are taken for what the
 * benchmark asks for. A truth, a kernel and a table of emitters beside a file are known by their names (`beside.ts`).
 * Values are the camera's counts.
 */

import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { explain } from "../core/errors.ts";
import { beside, isTruth, tableEndings } from "./beside.ts";
import type { Contents, Dataset, DatasetKind, FileProbe, Sample, Subject } from "./dataset.ts";
import {
  bytesOf,
  fileName,
  findSlice,
  hashOfVolumes,
  labelled,
  nameOfAll,
  type ReadVolume,
  sampleIds,
} from "./files.ts";
import { TiffStack } from "./formats/tiff.ts";
import { isTiff } from "./formats/tiff_pages.ts";
import { LevelsOfStack } from "./levels.ts";
import { inFrame } from "./localisations.ts";
import { closeAll, openStacks, type Stack, type StackReading, valuesOf } from "./tiff_stacks.ts";

/** Stacks whose frames are samples `[height, width, 1]`, for localisation microscopy. */
export const tiffFramesKind = kindOf("frames", "TIFF stacks of frames, classic or BigTIFF");
/** Stacks whose planes are samples `[height, width, 1]`, for deconvolution in 2-D. */
export const tiffPlanesKind = kindOf("planes", "TIFF images and stacks, plane by plane");
/** Stacks that are samples as a whole, `[depth, height, width, 1]`, for deconvolution in 3-D. */
export const tiffVolumesKind = kindOf("volumes", "TIFF stacks as volumes");

const kinds: Readonly<Record<StackReading, DatasetKind>> = {
  frames: tiffFramesKind,
  planes: tiffPlanesKind,
  volumes: tiffVolumesKind,
};

/** TIFF as somebody looks at it who has not said what for: frames where they are said to be frames, else planes. */
export const tiffKind: DatasetKind = {
  kind: "tiff",
  about:
    "TIFF images and stacks of microscopes (.tif), classic or BigTIFF, with truth, kernel and emitters beside them",
  recognises: ({ head }) => isTiff(head),
  async open(files, options, contents) {
    let reading: StackReading = "planes";
    for (const { path } of files) {
      using stack = await TiffStack.open(path);
      const areFrames = (stack.header.about.axes?.frames ?? 1) > 1 ||
        (await beside(path)).emitters !== undefined;
      if (areFrames) reading = "frames";
    }
    return await kinds[reading].open(files, options, contents);
  },
};

function kindOf(reading: StackReading, about: string): DatasetKind {
  return {
    kind: `tiff-${reading}`,
    about,
    recognises: ({ head }) => isTiff(head),
    ...(reading === "frames" && { misplaced: tableOfFrames }),
    async open(files, options, contents) {
      const stacks = await openStacks(files, reading, options);
      try {
        contents ??= await contentsOf(stacks, reading, nameOfAll(labelled(files)));
        return new StackDataset(contents, stacks);
      } catch (error) {
        closeAll(stacks);
        throw error;
      }
    },
  };
}

function tableOfFrames({ path }: FileProbe): string | undefined {
  if (!tableEndings.some((ending) => path.toLowerCase().endsWith(ending))) return undefined;
  return "it is no stack: a table of localisations is the truth of its frames, put beside them under their name, e.g. " +
    `cell_ground_truth${/\.[^.]*$/.exec(path)![0]} beside cell_frames.tif, which is given`;
}

class StackDataset implements Dataset {
  constructor(readonly contents: Contents, readonly stacks: readonly Stack[]) {}

  async sample(subject: string, id: string): Promise<Sample> {
    const { file: stack, slice: index } = findSlice(this.stacks, this.contents.subjects, subject, id);
    const { label, measured, truth, kernel, emitters, pixelSizeNm = null } = stack;
    const values = await valuesOf(stack, measured, index);
    const image = truth === undefined ? undefined : await valuesOf(stack, truth, index);
    const { levels } = this.contents.subjects.find((one) => one.id === subject)!;
    return {
      id,
      subject,
      ...(this.contents.holds === "images" ? { image: values } : { image, measurement: values }),
      kernel,
      emitters: emitters && inFrame(emitters, index),
      acquisition: { file: label, index, pixelSizeNm, ...levels },
    };
  }

  close(): void {
    closeAll(this.stacks);
  }
}

async function contentsOf(stacks: readonly Stack[], reading: StackReading, name: string): Promise<Contents> {
  const subjects: Subject[] = [];
  const read: ReadVolume[] = [];
  const holds = holdsOf(stacks);
  for (const stack of stacks) {
    const watch = new LevelsOfStack(reading === "frames");
    const measured = await hashOf(stack.measured, (values) => watch.add(values));
    const truth = stack.truth === undefined ? [] : [await hashOf(stack.truth)];
    read.push({ file: stack, about: stack.about, values: [measured, ...truth].join() });
    const slices = Array.from({ length: stack.samples }, (_, i) => i);
    subjects.push({
      id: stack.label,
      samples: sampleIds({ file: stack, subject: stack.label, slices, count: stack.samples }),
      shape: stack.shape,
      role: roleOf(stack.path),
      source: stack.path,
      volumes: [measured, ...truth],
      levels: await watch.result(() => pagesOf(stack.measured)),
    });
  }
  const [first] = stacks;
  const isShared = stacks.every(({ pixelSizeNm }) => String(pixelSizeNm) === String(first.pixelSizeNm));
  return {
    kind: `tiff-${reading}`,
    name,
    subjects,
    unit: "counts",
    ...(isShared && first.pixelSizeNm && { pixelSizeMm: first.pixelSizeNm.map((nm) => nm * 1e-6) }),
    holds,
    banners: [],
    notes: [
      ...stacks.flatMap(({ label, notes }) =>
        notes.map((note) => stacks.length === 1 ? note : `${label}: ${note}`)
      ),
      ...(stacks.every(({ pixelSizeNm }) => pixelSizeNm) ? [] : [
        "nobody says how large a pixel is: lengths in nm have no value, and optics are those of usual pixels, unless --pixel-nm is given",
      ]),
    ],
    hash: hashOfVolumes(`tiff-${reading}`, read),
  };
}

function holdsOf(stacks: readonly Stack[]): Contents["holds"] {
  const kinds = stacks.map(({ path, truth }) =>
    truth !== undefined ? "pairs" : isTruth(path) ? "images" : "measurements"
  );
  const other = kinds.findIndex((kind) => kind !== kinds[0]);
  if (other < 0) return kinds[0];
  const words = {
    pairs: "has its truth beside it",
    images: "is a truth",
    measurements: "has no truth beside it",
  };
  throw new TypeError(explain({
    what: `it ${words[kinds[other]]}, and ${stacks[0].path} ${words[kinds[0]]}`,
    where: stacks[other].path,
    fix: "give stacks with truth and stacks without apart",
  }));
}

/** SHA-256 of a stack's values as float32, page by page; `see` is shown each. */
async function hashOf(stack: TiffStack, see?: (values: Float32Array) => void): Promise<string> {
  const hash = createHash("sha256");
  for await (const values of pagesOf(stack)) {
    hash.update(bytesOf(values));
    see?.(values);
  }
  return hash.digest("hex");
}

async function* pagesOf(stack: TiffStack): AsyncGenerator<Float32Array> {
  for (let page = 0; page < stack.header.pages; page++) {
    yield await stack.page(page);
    // Reading alone never lets anything else have a turn, such as a signal to stop.
    await setImmediate();
  }
}

/** A name that starts with the part of the data that the file is, e.g. `train_frames.tif`. */
function roleOf(path: string): Subject["role"] {
  const word = /^(train|val|validation|test)[_-]/i.exec(fileName(path))?.[1].toLowerCase();
  return word === "val" ? "validation" : word as Subject["role"];
}
