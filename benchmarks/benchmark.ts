/**
 * A benchmark is one question, as data: which samples, how they are measured, which methods, which metrics.
 *
 * It says how nothing is run: no loop, no `if`. `harness/` runs it, `--set` changes its settings, a profile is one
 * more spread over them, and a test makes a small one the same way.
 */

import type { Image } from "../core/image.ts";
import type { Points } from "../core/points.ts";
import type { Overrides, Settings, Values } from "../core/settings.ts";
import type { Dataset, DatasetKind } from "../datasets/dataset.ts";
import type { Tensor, Tensor4D } from "../engine/tensor.ts";
import type { Method } from "../methods/method.ts";
import type { Metric, MetricHead } from "../metrics/metric.ts";
import type { Acquisition } from "../physics/acquisition.ts";
import type { Operator } from "../physics/operator.ts";

/** Settings that every benchmark has, whatever it measures. */
export const commonSettings = {
  updates: {
    default: 1500,
    min: 1,
    whole: true,
    about: "generator updates, the budget of every trained method",
  },
  batch: { default: 1, min: 1, max: 64, whole: true, about: "samples in a batch" },
  mirror: { default: true, about: "whether training images are mirrored at random before they are measured" },
  patch: {
    default: 0,
    min: 0,
    max: 4096,
    whole: true,
    about:
      "side of the random squares that methods without the operator are trained on; 0 or more than an image has: whole images. Reconstructed are always whole images",
  },
  checks: {
    default: 6,
    min: 1,
    whole: true,
    about: "how often a run is looked at on validation data while it trains",
  },
  panels: { default: 2, min: 0, whole: true, about: "test samples that the panels show" },
} as const satisfies Settings;

/** A setting that is a number of things. */
export interface Count {
  readonly default: number;
  readonly min: number;
  readonly whole: true;
  readonly about: string;
}

/** The settings of {@linkcode subjectSettings}. */
export interface SubjectSettings {
  /** To learn from. */
  readonly trainSubjects: Count;
  /** For validation. */
  readonly validationSubjects: Count;
  /** To be scored. */
  readonly testSubjects: Count;
}

/** How many embedded subjects there are; `things` says what they are, `train` how many there are to learn from. */
export function subjectSettings(things: string, train = 100): SubjectSettings {
  const count = { min: 1, whole: true } as const;
  return {
    trainSubjects: {
      ...count,
      default: train,
      min: 2,
      about: `embedded ${things} to learn from; half give images, half measurements`,
    },
    validationSubjects: { ...count, default: 4, about: `embedded ${things} for validation` },
    testSubjects: { ...count, default: 12, about: `embedded ${things} to be scored` },
  };
}

/** What the profile `smoke` says of itself, and how many updates and embedded subjects it has. */
export const smoke = {
  about: "Every code path of every method, in seconds; says nothing about quality.",
  training: { updates: 3, checks: 2 },
  subjects: { trainSubjects: 4, validationSubjects: 2, testSubjects: 2 },
} as const;

/** A range of values, in the data's own units. */
export interface Window {
  /** Its least value. */
  readonly low: number;
  /** Its greatest. */
  readonly high: number;
}

/** One row of the table. */
export interface Row {
  /** Its name in tables, in records and for `--methods`. */
  readonly name: string;
  /** What makes the row. */
  readonly method: Method;
  /** What this row changes of the method's settings. */
  readonly settings?: Overrides;
  /** Replaces the method's own line in lists and captions. */
  readonly about?: string;
  /** Replaces the values that the method tries on validation subjects, where this benchmark's units ask for others. */
  readonly tune?: readonly number[];
}

/** A quantity of the whole run, by the id that a learner's `monitor` gives it. */
export interface Followed extends MetricHead {
  /** How the values of several validation batches become one. */
  readonly over: "mean" | "max";
}

/** A reconstructed sample as `--keep-images` keeps it, after the view that metrics have. */
export interface Kept {
  /** The sample's id. */
  readonly sample: string;
  /** In the data's own units. */
  readonly reconstruction: Image;
  /** What it is scored against, where anybody knows it. */
  readonly truth?: Image;
  /** What training would have been shown in place of the truth, where the two differ. */
  readonly label?: Image;
  /** Size of a pixel of these images in nm along each axis, the slowest first; absent where nobody knows it. */
  readonly pixelNm?: readonly number[];
  /** Channels of the sample's image before it was measured, e.g. two for one coil. */
  readonly channels: number;
}

/** Makes one picture of all samples of a subject, e.g. the average of its frames; it keeps no sample. */
export interface Combiner {
  /** What it makes, as the `sample` of scores and pictures, e.g. `average`. */
  readonly name: string;
  /** Takes the next sample, in the data's order; where anybody knows them, `emitters` are those that are in it. */
  add(kept: Kept, emitters?: Points): void;
  /** What came of those that were taken; `halves` are of every other sample. */
  whole(): {
    readonly reconstruction: Image;
    readonly truth?: Image;
    readonly halves?: readonly [Image, Image];
  };
}

/** Another way to measure the test samples, which are scored once more under it. */
export interface Condition {
  /** Appended to the ids of metrics, e.g. `400nm`. */
  readonly name: string;
  /** In a few words, for the table. */
  readonly about: string;
  /** What it changes of the benchmark's settings, for the acquisition only. */
  readonly settings: Overrides;
  /** What is scored under it. */
  readonly metrics: readonly Metric[];
}

/** How large a run is. */
export interface Profile {
  /** One line for `bench list`. */
  readonly about: string;
  /** Over the benchmark's settings. */
  readonly settings?: Overrides;
  /** Over the settings of every method that declares them. */
  readonly methods?: Overrides;
  /** Over the settings of single rows. */
  readonly rows?: Readonly<Record<string, Overrides>>;
  /** As `--seeds` takes them. */
  readonly seeds: string;
  /** Of data from files, the most samples that a subject gives to a part: its first ones. */
  readonly mostSamples?: number;
  /** Whether the rows that are there by name only run too, so that every code path is taken. */
  readonly everyRow?: boolean;
}

/** What `deno task check` runs, and guards by the benchmark's leading metric. */
export interface Check extends Profile {
  /** The rows that run unless others are named, each with the loss that is to be found, in the leading metric's unit. */
  readonly guards: Readonly<Record<string, number>>;
  /** Seeds of the baseline, as `--seeds` takes them; those of {@linkcode Profile.seeds} are to be among them. */
  readonly baselineSeeds: string;
}

/** The profiles that a benchmark may have; all but `check` it has to. */
export type ProfileName = keyof Profiles;

/** How large a benchmark's runs are, by profile. */
export interface Profiles {
  /** Every code path, in seconds. */
  readonly smoke: Profile;
  /** Stable orderings, in minutes. */
  readonly quick: Profile;
  /** The paper's sizes. */
  readonly paper: Profile;
  /** The smallest budget at which the orderings are stable. */
  readonly check?: Check;
}

/** A benchmark. */
export interface Benchmark<S extends Settings = Settings> {
  /** As on the command line. */
  readonly name: string;
  /** Heading of its tables. */
  readonly title: string;
  /** What it asks, in a sentence. */
  readonly question: string;
  /** {@linkcode commonSettings} and its own. */
  readonly settings: S;
  /** What `--profile` chooses from. */
  readonly profiles: Profiles;
  /** The data that come with the suite; `stream` names their randomness. */
  embedded(settings: Values<S>, stream: string): Dataset;
  /** What `--data` may be. */
  readonly kinds: readonly DatasetKind[];
  /**
   * Adds what data from files lack, e.g. sharp images to learn from (subjects of the role `x`) to a stack of measurements;
   * `stream` names the randomness of the data.
   */
  complete?(dataset: Dataset, settings: Values<S>, stream: string): Dataset;
  /** Files that settings name, e.g. a point spread function: jobs may read them, and a run is of what they hold. */
  files?(settings: Values<S>): readonly string[];
  /** The side that data from files are brought to; undefined: as they are. */
  matrix(settings: Values<S>): number | undefined;
  /** How samples are measured; `stream` names the randomness that belongs to the task, e.g. of its masks. */
  acquisition(settings: Values<S>, stream: string): Acquisition;
  /** What a network sees of measurements. */
  see(y: Tensor, A: Operator): Tensor4D;
  /** What of images the measurement shows, and training compares; all of it where this is absent. */
  field?(image: Tensor, A: Operator): Tensor4D;
  /** What a network sees, in the unit of images, where that is another: what pictures show as the input. */
  asImage?(seen: Image, settings: Values<S>): Image;
  /** What images and measurements are divided by, from what a network sees: known at test time on both sides. */
  scale(seen: Image): number;
  /**
   * The values that networks are shown, where that is not all of them. A method that may not know the operator meets
   * images clipped to the window, from which `low` is subtracted before they are divided by the scale; what it changes of
   * them is then added to what was seen, so that what lies outside of the window stays as it was measured.
   */
  window?(settings: Values<S>): Window;
  /** The values that pictures show from black to white; the range of the truth where it is absent. */
  shown?(settings: Values<S>): Window;
  /** What metrics and pictures see of an image. `like`, where there is one, is the stored reference to be compared with. */
  view(image: Image, settings: Values<S>, like?: Image): Image;
  /** Combines the samples of a subject for metrics `of` the whole; pictures and kept images are then of that. */
  combine?(settings: Values<S>): Combiner;
  /**
   * The emitters in a reconstruction, for methods that do not find them themselves; undefined where nobody knows how large
   * its pixels are.
   */
  locate?(kept: Kept, settings: Values<S>): Points | undefined;
  /** Further conditions that the test samples are measured under, each a table more. */
  conditions?(settings: Values<S>): readonly Condition[];
  /** The table. */
  readonly rows: readonly Row[];
  /** Rows for `--methods` only. */
  readonly byName: readonly Row[];
  /** In the table's order; the first is the leading one, by which weights are chosen on validation subjects. */
  readonly metrics: readonly Metric[];
  /** Quantities that learners follow on validation data and that the table shows. */
  readonly followed: readonly Followed[];
  /** Splits an error image into what the operator sees of it and what it does not; absent where nobody knows the operator. */
  splitError?(A: Operator, error: Tensor4D): Promise<{ seen: Image; unseen: Image }>;
  /**
   * Writes the reconstructions of one subject for `--keep-images` to files whose path starts with `base`. `pixelSizeMm` is
   * the data's, `[row, column]`, where they say it.
   */
  keep(base: string, slices: readonly Kept[], pixelSizeMm?: readonly number[]): Promise<void>;
  /** What the text below its tables says, e.g. why a control is there. */
  readonly notes: readonly string[];
}
