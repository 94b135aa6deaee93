/**
 * The contract between a method and whoever runs it.
 *
 * A {@linkcode Method} is a value: what it is called, what it may know, its settings, and how to prepare a
 * {@linkcode Learner} for a problem. Trained networks, classical algorithms and negative controls are all
 * methods; `defineMethod` (training.ts) makes one of networks, losses and steps. Methods know neither datasets
 * nor metrics.
 */

import type { Image } from "../core/image.ts";
import type { Json } from "../core/json.ts";
import type { Rng } from "../core/random.ts";
import type { Settings, Values } from "../core/settings.ts";
import type { Tensor, Tensor4D } from "../engine/tensor.ts";
import type { Points } from "../core/points.ts";
import type { Form } from "../physics/form.ts";
import type { Noise } from "../physics/noise.ts";
import type { Operator, Shape } from "../physics/operator.ts";

/** What a method may know: a promise that whoever runs it keeps. */
export interface Knows {
  /** Whether it is shown matched pairs; without, images and measurements come from subjects that do not overlap. */
  readonly pairs: boolean;
  /** What it is handed of the operator: all, its form without the kernel, or nothing. */
  readonly operator: "exactly" | "form" | "nothing";
  /**
   * False for a negative control that looks at no measurement: what it makes stands for itself, also where a benchmark
   * shows networks a window of values and adds what they change to what was seen.
   */
  readonly measurement?: false;
}

/** The inverse problem, before any data. */
export interface Problem {
  /** `[height, width, channels]` of an image. Sizes may differ between samples where a benchmark allows it; channels do not. */
  readonly imageShape: Shape;
  /** Shape of what a network sees of a measurement, e.g. the zero-filled image. */
  readonly seenShape: Shape;
  /** Shape of a measurement. */
  readonly measurementShape: Shape;
  /**
   * The range that all values of images and of what is seen lie in, for methods that may not know the operator; absent
   * where a benchmark shows networks all values.
   */
  readonly range?: { readonly low: number; readonly high: number };
  /** The operator up to its kernel, for methods that may know so much. */
  readonly form?: Form;
  /** The budget: how many generator updates there will be. */
  readonly updates: number;
  /** Samples in a batch. */
  readonly batch: number;
}

/** A measurement's surroundings: the operator, where the method may know it, and the way to look at a measurement. */
export interface Meeting<K extends Knows = Knows> {
  /** The operator that made the measurement; undefined to methods that may not know it. */
  readonly A: K["operator"] extends "exactly" ? Operator : Operator | undefined;
  /** The operator up to its kernel; undefined to methods that may not know it, and where there is no kernel. */
  readonly form?: Form;
  /** The camera's noise, for methods that may know something of the operator; undefined where nobody knows it. */
  readonly noise?: Noise;
  /**
   * What a network sees of a measurement: `[batch, ...measurementShape]` to `[batch, ...seenShape]`. It is the
   * benchmark's, equal for all methods. For methods that know nothing of the operator `y` is seen already, and
   * this is the identity. Borrows, and returns a tensor that the caller owns.
   */
  see(y: Tensor): Tensor4D;
  /**
   * What of images the measurement shows: `[batch, ...imageShape]` to the field of view, which is what training compares,
   * since of what lies beyond little is known. Absent: all of it. As `see`, it borrows, and the caller owns the result.
   */
  field?(image: Tensor): Tensor4D;
}

/**
 * A batch to learn from. x and y are matched where `knows.pairs`, else of different subjects. All of a batch
 * has one operator and one shape. The tensors belong to whoever drew them.
 */
export interface Batch<K extends Knows = Knows> extends Meeting<K> {
  /**
   * Images, `[batch, ...imageShape]`, in units of the scale that the benchmark sets: what training is shown, which the
   * benchmark may have misaligned, or cut patches from.
   */
  readonly x: Tensor4D;
  /** Measurements, `[batch, ...measurementShape]`, in the same units. */
  readonly y: Tensor4D;
}

/** Named arrays of weights, in a fixed order. */
export type Weights = readonly {
  readonly name: string;
  readonly shape: Shape;
  readonly data: Float32Array;
}[];

/** A method that was set up for one problem and one seed. Dispose it when done. */
export interface Learner extends Disposable {
  /** Number of trained parameters that a reconstruction uses. */
  readonly parameters: number;
  /** Multiply-adds of one reconstruction of this size; undefined where the method has no fixed number. */
  macs(seenShape: Shape): number | undefined;
  /**
   * One generator update with the critic updates that belong to it. `draw` gives a new batch each time that it
   * is called (a promise, since a large dataset reads from disk), which the caller then owns; `progress` is the
   * share of the budget that is spent, in [0, 1). Returns the losses, for the log; one that is not finite means
   * that the run has diverged.
   */
  update?(draw: () => Promise<Batch>, progress: number): Promise<Readonly<Record<string, number>>>;
  /**
   * Looks at the training data once, for what needs no updates (e.g. the mean image): images, and measurements as batches
   * have them, scaled as there and unmatched.
   */
  fit?(images: AsyncIterable<Image>, measurements: AsyncIterable<Image>): Promise<void>;
  /** Quantities to follow on validation data, e.g. the certificate ½·ℓ_cycle; unmatched x and y. Borrows the batch. */
  monitor?(batch: Batch): Promise<Readonly<Record<string, number>>>;
  /** Measurements `[batch, ...measurementShape]` to images `[batch, ...imageShape]`; borrows y, the caller owns the result. */
  reconstruct(y: Tensor4D, meeting: Meeting): Tensor4D;
  /**
   * Where the emitters are that each measurement of the batch shows, for methods that find them rather than an image;
   * borrows y. Where it is there it is awaited before `reconstruct` of the same y, which draws what was found.
   */
  locate?(y: Tensor4D, meeting: Meeting): Promise<readonly Points[]>;
  /**
   * Pictures of what was learned besides the reconstruction, by name: the spectrum of the noise; of a blur its `kernel`,
   * of sum 1, and what it was before the first update, `kernel-initial`.
   */
  learned?(): Promise<Readonly<Record<string, Image>>>;
  /** All weights, of every network, in a fixed order. */
  weights(): Promise<Weights>;
  /**
   * Takes weights that a learner of the same method, problem and settings gave, and from then on reconstructs as it did;
   * without it, weights that were kept cannot be used.
   *
   * @throws {TypeError} where names or shapes are others.
   */
  load?(weights: Weights): void;
  /**
   * Everything that it would need to go on to the same bits: weights, moments, pools, positions of streams. A learner
   * without it starts over where its training was stopped.
   */
  state?(): Promise<LearnerState>;
  /** Goes on from a state that a learner of the same method, problem and settings gave. */
  restore?(state: LearnerState): void;
}

/** What a {@linkcode Learner} remembers: arrays of values, and all else as JSON, each in an order of the learner's own. */
export interface LearnerState {
  /** Values that are kept to the last bit. */
  readonly arrays: readonly Float32Array[];
  /** Counts, shapes and positions. */
  readonly rest: Json;
}

/** A method. */
export interface Method<S extends Settings = Settings> {
  /** Its name in `--methods`, tables and records. */
  readonly name: string;
  /** One line for lists and captions. */
  readonly about: string;
  /** Paper, and section or equation. */
  readonly source: string;
  /** What it may know. */
  readonly knows: Knows;
  /** Its settings, which `--set` can change. */
  readonly settings: S;
  /** Whether it learns by updates, and so has seeds. */
  readonly trains: boolean;
  /** Whether its learner has `fit`, and so needs training images although it does not train. */
  readonly fits?: boolean;
  /** Cost of one update against one of the supervised method: only for starting long jobs first. */
  readonly effort: number;
  /** A number to be chosen on validation subjects by the benchmark's leading metric, and the values to try. */
  readonly tune?: { readonly setting: string; readonly values: readonly number[] };
  /** Sets the method up for one problem and one seed, which `rng` is named after. */
  prepare(problem: Problem, settings: Values<S>, rng: Rng): Learner;
}
