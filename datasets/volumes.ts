/** Volumes that are read slice by slice, wherever they lie: what the loaders of MRI and of CT make datasets of. */

import type { Subject } from "./dataset.ts";
import { type Named, type ReadVolume, sampleIds } from "./files.ts";

/** A volume before it is read. */
export interface VolumeFile extends Named {
  /** The subject that it belongs to. */
  readonly subject: string;
}

/** The slices of a volume, which are of one size. */
export interface Slices {
  readonly count: number;
  readonly height: number;
  readonly width: number;
  readonly isComplex: boolean;
  /** `[row, column]`, where the header says it. */
  readonly pixelSizeMm?: readonly number[];
}

/** A volume cut into slices. */
export interface Volume extends Slices {
  /** The values of a slice, `[height, width]`, complex ones as two. */
  slice(index: number): Promise<Float32Array>;
  /** Shows every slice once, in order, and gives the SHA-256 of all values. */
  survey(see: (values: Float32Array, index: number) => void): Promise<string>;
}

/** The volumes of one dataset. */
export interface Volumes<F extends VolumeFile = VolumeFile> {
  /** In the order in which they are handed out. */
  readonly files: readonly F[];
  /** Whether the files say themselves that their values are in HU. */
  readonly areInHu?: boolean;
  /** What is odd about them. */
  readonly notes: readonly string[];
  /** Opens one; those that were opened last may be kept. */
  open(file: F): Promise<Volume>;
  /** Lets go of what was kept. */
  close(): void;
}

/** What is written down of volumes while they are looked at. */
export class Inventory {
  readonly #subjects = new Map<string, Subject & { samples: string[]; volumes: string[] }>();
  readonly #read: ReadVolume[] = [];
  readonly #pixelSizes: (readonly number[] | undefined)[] = [];

  /** Adds the slices `kept` of a volume whose samples have `shape` and pixels of `pixelSizeMm`. */
  add(
    file: VolumeFile,
    slices: Slices,
    { kept, shape, pixelSizeMm, values, more }: {
      kept: readonly number[];
      shape: readonly number[];
      pixelSizeMm?: readonly number[];
      /** SHA-256 of all its values; of the volume at either dose, where there are two. */
      values: readonly string[];
      /** What else the data say of its subject. */
      more?: Pick<Subject, "role" | "stratum">;
    },
  ): void {
    const { subject: id, path: source } = file;
    const { count, height, width, isComplex, pixelSizeMm: own = null } = slices;
    const about = { count, height, width, isComplex, pixelSizeMm: own };
    this.#read.push(...values.map((values) => ({ file, about, values })));
    this.#pixelSizes.push(pixelSizeMm);
    const samples = sampleIds({ file, subject: id, slices: kept, count });
    const known = this.#subjects.get(id);
    if (known === undefined) {
      this.#subjects.set(id, { id, samples, shape, ...more, source, volumes: [...values] });
      return;
    }
    known.samples.push(...samples);
    known.volumes.push(...values);
    if (known.shape.every((extent, axis) => extent === shape[axis])) return;
    const others = Object.fromEntries(samples.map((sample) => [sample, shape]));
    this.#subjects.set(id, { ...known, otherShapes: { ...known.otherShapes, ...others } });
  }

  /** In the order in which their first volumes were added. */
  get subjects(): Subject[] {
    return [...this.#subjects.values()];
  }

  /** All volumes, for the hash of the dataset. */
  get read(): readonly ReadVolume[] {
    return this.#read;
  }

  /** The size of a pixel, where it is the same everywhere. */
  get pixelSizeMm(): readonly number[] | undefined {
    const [size] = this.#pixelSizes;
    const isShared = size !== undefined &&
      this.#pixelSizes.every((other) => other?.every((mm, i) => Math.abs(mm - size[i]) < 1e-3));
    return isShared ? size : undefined;
  }
}
