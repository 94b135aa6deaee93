/** TIFF stacks on their way to being samples: opened, divided, and with what lies beside them. */

import { explain, UsageError } from "../core/errors.ts";
import { type Image, sizeOf } from "../core/image.ts";
import { type Json, sha256 } from "../core/json.ts";
import { type Beside, beside } from "./beside.ts";
import type { FileProbe, OpenOptions } from "./dataset.ts";
import { bytesOf, fileName, labelled, type LabelledFile } from "./files.ts";
import { TiffStack } from "./formats/tiff.ts";
import { pageOf } from "./formats/tiff_axes.ts";
import { type Localisations, readLocalisations } from "./localisations.ts";

/** What a sample is: a frame in time, a plane along the optical axis, or a whole volume. */
export type StackReading = "frames" | "planes" | "volumes";

// A volume is handed out at once.
const mostVolumeBytes = 832 * 2 ** 20;

/** A file, looked into, with what lies beside it. */
export interface Stack extends LabelledFile {
  readonly measured: TiffStack;
  readonly truth?: TiffStack;
  readonly kernel?: Image;
  readonly emitters?: Localisations;
  /** How many samples it has, and of how many pages each. */
  readonly samples: number;
  readonly depth: number;
  /** Of a sample. */
  readonly shape: readonly number[];
  /** `[row, column]`, or `[slice, row, column]`, where they are known. */
  readonly pixelSizeNm?: readonly number[];
  /** What else than the values decides its samples. */
  readonly about: Json;
  readonly notes: readonly string[];
}

/** Closes their files. */
export function closeAll(stacks: readonly Stack[]): void {
  for (const { measured, truth } of stacks) {
    measured.close();
    truth?.close();
  }
}

/** One sample's values. */
export async function valuesOf({ shape, depth }: Stack, stack: TiffStack, index: number): Promise<Image> {
  if (depth === 1) return { shape, data: await stack.page(pageAt(stack, index, 0, depth)) };
  const data = new Float32Array(sizeOf(shape));
  for (let slice = 0; slice < depth; slice++) {
    data.set(await stack.page(pageAt(stack, index, slice, depth)), slice * data.length / depth);
  }
  return { shape, data };
}

function pageAt({ header: { about } }: TiffStack, index: number, slice: number, depth: number): number {
  // A reading by single pages has one of the axes only.
  return depth === 1 || about.axes === undefined
    ? index * depth + slice
    : pageOf(about.axes, { channel: 0, slice, frame: index });
}

/** Opens those of the files that are subjects of their own. */
export async function openStacks(
  files: readonly FileProbe[],
  reading: StackReading,
  options: OpenOptions,
): Promise<Stack[]> {
  const all = labelled(files);
  const found = new Map<string, Beside>();
  for (const { path } of all) found.set(path, await beside(path));
  // What lies beside another of the files is no subject of its own.
  const taken = new Set([...found.values()].flatMap(({ truth, kernel }) => [truth, kernel]));
  const own = all.filter(({ path }) => !taken.has(path));
  const stacks: Stack[] = [];
  try {
    for (const file of own.length > 0 ? own : all) {
      const its = own.length > 0 ? found.get(file.path)! : {};
      stacks.push(await openStack(file, its, reading, options));
    }
    return stacks;
  } catch (error) {
    closeAll(stacks);
    throw error;
  }
}

async function openStack(
  file: LabelledFile,
  own: Beside,
  reading: StackReading,
  options: OpenOptions,
): Promise<Stack> {
  const measured = await TiffStack.open(file.path);
  let truth: TiffStack | undefined;
  try {
    const { samples, depth, note } = divided(measured, file.path, reading);
    const notes = note === undefined ? [] : [note];
    const { height, width } = measured.header;
    const shape = reading === "volumes" ? [depth, height, width, 1] : [height, width, 1];
    const pixelSizeNm = pixelSizeOf(measured, reading, options);
    if (own.truth !== undefined && reading !== "frames") {
      truth = await TiffStack.open(own.truth);
      assertAlike(truth, own.truth, measured, file.path);
      notes.push(`${fileName(own.truth)} was taken for the truth of ${fileName(file.path)}`);
    }
    const kernelPath = given(options, "psf") ?? own.kernel;
    const kernel = kernelPath === undefined ? undefined : await wholeOf(kernelPath);
    if (kernel !== undefined) {
      notes.push(
        `${fileName(kernelPath!)} was taken for the kernel of ${fileName(file.path)}, ${middleOf(kernel)}`,
      );
    }
    const emitters = reading !== "frames" || own.emitters === undefined
      ? undefined
      : await emittersOf(own.emitters, samples, [height, width], pixelSizeNm?.[0]);
    if (emitters !== undefined) {
      notes.push(
        `${fileName(own.emitters!)} was taken for the emitters of ${fileName(file.path)}; ` +
          emitters.said.join("; "),
      );
    }
    const about = {
      shape,
      samples,
      pixelSizeNm: pixelSizeNm ?? null,
      kernel: kernel === undefined ? null : [...kernel.shape, sha256(bytesOf(kernel.data))],
      emitters: emitters === undefined
        ? null
        : sha256(...[emitters.frame, emitters.xNm, emitters.yNm].map(bytesOf)),
    };
    return {
      ...file,
      measured,
      truth,
      kernel,
      emitters,
      samples,
      depth,
      shape,
      pixelSizeNm,
      about,
      notes,
    };
  } catch (error) {
    measured.close();
    truth?.close();
    throw error;
  }
}

/** How the pages make samples. */
function divided(
  { header: { pages, height, width, channels, about: { axes } } }: TiffStack,
  path: string,
  reading: StackReading,
): { samples: number; depth: number; note?: string } {
  const refuse = (what: string, fix: string): never => {
    throw new TypeError(explain({ what, where: path, fix }));
  };
  const colours = Math.max(channels, axes?.channels ?? 1);
  if (colours > 1) refuse(`it has ${colours} channels`, "give each channel as a stack of its own");
  const { slices, frames } = axes ??
    (reading === "frames" ? { slices: 1, frames: pages } : { slices: pages, frames: 1 });
  switch (reading) {
    case "frames":
      if (slices > 1 && frames > 1) {
        refuse(`it has ${frames} frames of ${slices} planes`, "give one plane of it");
      }
      return slices > 1
        ? { samples: slices, depth: 1, note: `its ${slices} slices, without frames, count as frames` }
        : { samples: frames, depth: 1 };
    case "planes":
      if (frames > 1) refuse(`it has ${frames} frames in time`, "give one frame of it");
      return { samples: slices, depth: 1 };
    case "volumes":
      if (slices === 1) {
        refuse(
          "it has one plane",
          frames > 1
            ? "say that its frames are slices"
            : "give a stack of planes; deno task bench deconvolution takes single ones",
        );
      }
      if (4 * slices * height * width > mostVolumeBytes) {
        refuse(
          `a volume of ${slices} x ${height} x ${width} takes ${
            Math.ceil(4 * slices * height * width / 2 ** 20)
          } MB, ` +
            `more than the ${mostVolumeBytes / 2 ** 20} MB that are handed out at once`,
          "cut it into pieces",
        );
      }
      return { samples: frames, depth: slices };
  }
}

/** `[row, column]`, or `[slice, row, column]` for volumes: as given, else as the file says. */
function pixelSizeOf(
  { header: { about } }: TiffStack,
  reading: StackReading,
  options: OpenOptions,
): readonly number[] | undefined {
  const text = given(options, "pixelNm");
  if (text === undefined) {
    const { pixelSizeNm, sliceStepNm } = about;
    if (reading !== "volumes") return pixelSizeNm;
    return pixelSizeNm && sliceStepNm ? [sliceStepNm, ...pixelSizeNm] : undefined;
  }
  const sizes = text.split(",").map(Number);
  const wanted = reading === "volumes" ? 2 : 1;
  if (
    sizes.length < wanted || sizes.length > 2 || !sizes.every((size) => size > 0 && Number.isFinite(size))
  ) {
    throw new UsageError({
      what: `"${text}" is no size of a pixel`,
      where: "--pixel-nm",
      fix: wanted === 2 ? "give X,Z in nm, e.g. 65,300" : "give X in nm, e.g. 100",
    });
  }
  const [across, along] = sizes;
  return reading === "volumes" ? [along, across, across] : [across, across];
}

/** What the benchmark was told by a text that is not empty. */
function given({ settings }: OpenOptions, name: string): string | undefined {
  const value = settings?.[name];
  return value === undefined || value === "" ? undefined : String(value);
}

function assertAlike(truth: TiffStack, truthPath: string, measured: TiffStack, path: string): void {
  const extents = ({ header: { pages, height, width } }: TiffStack) => `${pages} x ${height} x ${width}`;
  if (extents(truth) === extents(measured) && truth.header.channels === 1) return;
  throw new TypeError(explain({
    what: `it is ${extents(truth)}, and ${path} beside it, whose truth it should be, ${extents(measured)}`,
    where: truthPath,
    fix: "give both of one size, or rename what is no truth",
  }));
}

/**
 * A whole stack, e.g. a kernel: `[height, width, 1]`, or `[depth, height, width, 1]`.
 *
 * @throws {UsageError} where there is no file at the path, which a setting may name.
 */
export async function wholeOf(path: string): Promise<Image> {
  using stack = await TiffStack.open(path).catch(async (cause) => {
    throw await whyNoFile(path, cause) ?? cause;
  });
  const { samples, depth } = divided(stack, path, stack.header.pages === 1 ? "planes" : "volumes");
  const { height, width } = stack.header;
  if (samples > 1) {
    throw new TypeError(explain({
      what: `it has ${samples} frames in time, and a kernel has one`,
      where: path,
      fix: "give one of them",
    }));
  }
  const shape = depth === 1 ? [height, width, 1] : [depth, height, width, 1];
  const data = new Float32Array(sizeOf(shape));
  for (let slice = 0; slice < depth; slice++) {
    data.set(await stack.page(slice), slice * height * width);
  }
  return { shape, data };
}

/** What is wrong with a path rather than with what is in the file, if anything is. */
async function whyNoFile(path: string, cause: unknown): Promise<UsageError | undefined> {
  const fix = "name a TIFF file of a point spread function, e.g. --psf psf.tif";
  const refusal = (what: string) => new UsageError({ what, where: path, fix }, { cause });
  if (cause instanceof Deno.errors.NotFound) return refusal("there is no such file");
  if (cause instanceof Deno.errors.PermissionDenied) return refusal("the file may not be read by this user");
  // A worker may not ask about a link's end, and a folder is no file to whoever may.
  const isFolder = await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);
  return isFolder ? refusal("it is a folder, and a point spread function is one file") : undefined;
}

/** Pixels off its middle from which on a kernel's light shifts what is reconstructed visibly. */
const visibleShift = 0.25;

/** In words, what counts as a kernel's middle, and how far its centre of light is from there. */
function middleOf({ shape, data }: Image): string {
  const extents = shape.slice(0, -1);
  const placeOf = (i: number) =>
    extents.map((extent, axis) => Math.floor(i / sizeOf(extents.slice(axis + 1))) % extent);
  let [brightest, sum] = [0, 0];
  const sums = extents.map(() => 0);
  data.forEach((value, i) => {
    if (value > data[brightest]) brightest = i;
    sum += value;
    placeOf(i).forEach((at, axis) => sums[axis] += value * at);
  });
  const middle = placeOf(brightest);
  const shifts = sums.map((moment, axis) => moment / sum - middle[axis]);
  const said = "its brightest value for its middle";
  if (!shifts.some((shift) => Math.abs(shift) > visibleShift)) return said;
  const off = shifts.map((shift) => shift.toFixed(1).replace("-", "−")).join(", ");
  return `${said}; its light is centred (${off}) pixels off there, and reconstructions are shifted as much the other way`;
}

/** The emitters of a stack of so many frames, each `[height, width]` pixels large. */
async function emittersOf(
  path: string,
  frames: number,
  [height, width]: readonly number[],
  pixelSizeNm?: number,
): Promise<Localisations> {
  const emitters = await readLocalisations(path, { pixelSizeNm });
  assertNear(emitters, [height, width].map((extent) => extent * (pixelSizeNm ?? Infinity)), path);
  const last = emitters.frame.at(-1) ?? 0;
  if (last < frames) return emitters;
  throw new RangeError(explain({
    what: `it has emitters in frame ${last + 1}, and the stack beside it has ${frames} frames`,
    where: path,
    fix: "give the table that belongs to the stack, or rename it",
  }));
}

/** Refuses what is farther from the field than the field is large: it is in another unit, or of another field. */
function assertNear(
  { frame, xNm, yNm }: Localisations,
  [height, width]: readonly number[],
  path: string,
): void {
  const isFar = (at: number, extent: number) => at < -extent || at > 2 * extent;
  const far = xNm.findIndex((x, i) => isFar(x, width) || isFar(yNm[i], height));
  if (far < 0) return;
  throw new RangeError(explain({
    what:
      `an emitter of frame ${frame[far] + 1} is at x ${xNm[far]} nm, y ${
        yNm[far]
      } nm, far outside of the field, ` +
      `which is ${width} nm wide and ${height} nm high`,
    where: path,
    fix: "leave it out, or mend the table's unit or the size of a pixel (--pixel-nm)",
  }));
}
