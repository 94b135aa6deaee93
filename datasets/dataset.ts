/**
 * Datasets hand out samples, always in the same order.
 *
 * A dataset is opened once to see what it holds (its {@linkcode Contents}, plain JSON that goes into `run.json`),
 * and is then read sample by sample, so that a dataset larger than memory is no different from a small one. It
 * knows nothing of operators, tensors or methods.
 */

import type { Image } from "../core/image.ts";
import type { Json } from "../core/json.ts";
import type { Points } from "../core/points.ts";
import type { Overrides } from "../core/settings.ts";
import type { Levels } from "./levels.ts";

/** One image or one measurement of one subject. */
export interface Sample {
  /** Unique within the subject, e.g. the slice `"07"`. */
  readonly id: string;
  /** The person, animal or simulated object that it belongs to: the unit of splitting and of inference. */
  readonly subject: string;
  /** The fully measured image, where there is one. MRI: coil images `[height, width, 2·coils]`. */
  readonly image?: Image;
  /** The measurement, where the data hold one; absent where it is to be simulated from `image`. */
  readonly measurement?: Image;
  /** What scores are computed against, where the data hold it and it is not a view of `image`: `[height, width, 1]`. */
  readonly reference?: Image;
  /** What training is shown in place of `image`, where the two differ, e.g. a target that is not aligned with it. */
  readonly label?: Image;
  /** What the image was convolved with, where the data hold it: `[height, width, 1]` or with a depth, not normalised. */
  readonly kernel?: Image;
  /** Where the emitters are that the measurement shows, where the data hold it. */
  readonly emitters?: Points;
  /** What the data say of how the measurement was made, e.g. the k-space lines that were sampled. */
  readonly acquisition?: { readonly [key: string]: Json };
  /** Where it was cut out of a larger one. */
  readonly tile?: Tile;
}

/** Where a sample was cut out of a larger one. */
export interface Tile {
  /** The id of that. */
  readonly of: string;
  /** Its corner there, in pixels along `[height, width]` or `[depth, height, width]`. */
  readonly at: readonly number[];
}

/** A subject and the samples that it has. */
export interface Subject {
  /** Unique within the dataset. */
  readonly id: string;
  /** Sample ids, in the order in which they are handed out. */
  readonly samples: readonly string[];
  /**
   * Shape of a sample's image (or measurement, where it has no image), `[height, width, channels]`, of a volume with its
   * depth before them. Subjects may differ in height and width.
   */
  readonly shape: readonly number[];
  /** By id, the shapes of its samples that have another one. */
  readonly otherShapes?: Readonly<Record<string, readonly number[]>>;
  /** A group to report apart, e.g. the acquisition type. */
  readonly stratum?: string;
  /**
   * The part of the official split that the data put it in; `x` (its images only) and `y` (its measurements only) where
   * they say which domain of the training part it belongs to.
   */
  readonly role?: "train" | "x" | "y" | "validation" | "test";
  /** Where it was read from. */
  readonly source?: string;
  /**
   * SHA-256 of the values of each of its volumes, by which a copy under another name is known. What may differ between
   * copies, e.g. names, headers and compression, is not in it.
   */
  readonly volumes?: readonly string[];
  /** Of a stack, what its values say of its light. */
  readonly levels?: Levels;
}

/** What a dataset holds: all that planning needs, without the pixels. */
export interface Contents {
  /** Name of the {@linkcode DatasetKind}. */
  readonly kind: string;
  /** Name for tables, e.g. the folder's. */
  readonly name: string;
  /** In the order in which they are handed out. */
  readonly subjects: readonly Subject[];
  /** Unit of the values, e.g. `"arbitrary"` or `"HU"`. */
  readonly unit: string;
  /** Pixel size in millimetres `[row, column]`, of volumes `[slice, row, column]`, where the data say it. */
  readonly pixelSizeMm?: readonly number[];
  /** Whether samples hold an image, a measurement, or matched pairs of both. */
  readonly holds: "images" | "measurements" | "pairs";
  /** What every table made from these data must say, e.g. that k-space was simulated. */
  readonly banners: readonly string[];
  /** What was left out, and why. */
  readonly notes: readonly string[];
  /** SHA-256 that changes when the data do. */
  readonly hash: string;
}

/** An opened dataset. */
export interface Dataset {
  /** What it holds. */
  readonly contents: Contents;
  /** Reads one sample; the same one gives the same values however often and in whatever order it is asked for. */
  sample(subject: string, id: string): Promise<Sample>;
  /** Lets go of open files. */
  close(): void;
}

/** A way to open data from files: one per file layout. */
export interface DatasetKind {
  /** Its name, e.g. `"fastmri"`. */
  readonly kind: string;
  /** One line for `deno task data`. */
  readonly about: string;
  /** What the layout is recognised by: its first bytes and its name; reading of the file comes later. */
  recognises(file: FileProbe): boolean;
  /** Of a file that belongs beside such data and is none itself, what it is and how it is given; of others undefined. */
  misplaced?(file: FileProbe): string | undefined;
  /**
   * Opens files of this kind. `contents`, where given, is what an earlier opening of the same files with the same
   * options found: a worker then need not look at every slice again.
   */
  open(files: readonly FileProbe[], options: OpenOptions, contents?: Contents): Promise<Dataset>;
}

/** A file as found, before anybody knows what it is. */
export interface FileProbe {
  /** Where it is. */
  readonly path: string;
  /** Its first 1024 bytes, or fewer where it is shorter. */
  readonly head: Uint8Array;
  /** How long it is. */
  readonly sizeBytes: number;
}

/** What a loader may be told. */
export interface OpenOptions {
  /** Side of the square matrix that images are brought to; absent: as the file has them. */
  readonly matrix?: number;
  /** Array axis to slice a volume along, 0 being the fastest; absent: as the header says. */
  readonly sliceAxis?: number;
  /** Name of the stream for what a loader has to simulate, e.g. the phase of a magnitude image. */
  readonly stream: string;
  /** False: nothing is simulated, and samples are what the files hold, for those who want to look at them. */
  readonly simulate?: boolean;
  /** Further settings of the benchmark, for a loader that knows them. */
  readonly settings?: Overrides;
}

/** Every sample of a dataset, subject by subject. */
export async function* samples(dataset: Dataset): AsyncGenerator<Sample> {
  for (const subject of dataset.contents.subjects) {
    for (const id of subject.samples) yield await dataset.sample(subject.id, id);
  }
}
