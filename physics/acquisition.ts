/** An acquisition: what becomes of a sample when it is measured. */

import type { Image } from "../core/image.ts";
import type { Json } from "../core/json.ts";
import type { Rng } from "../core/random.ts";
import type { Operator } from "./operator.ts";

/** What can be measured. A dataset's sample is one; physics does not ask where it came from. */
export interface Measurable {
  /** Unique within the subject. */
  readonly id: string;
  /** The person, animal or simulated object. */
  readonly subject: string;
  /** The fully measured image, where there is one. */
  readonly image?: Image;
  /** The measurement, where it was made already. */
  readonly measurement?: Image;
  /** What scores are computed against, where the data hold it. */
  readonly reference?: Image;
  /** What training is shown in place of `image`, where the two differ. */
  readonly label?: Image;
  /** What the image was convolved with, where the data hold it. */
  readonly kernel?: Image;
  /** What the data say of how the measurement was made. */
  readonly acquisition?: { readonly [key: string]: Json };
}

/** A measured sample, all in the data's own units. */
export interface Measured {
  /** How `measurement` came from `image`, noise apart. The acquisition keeps it; nobody disposes it. */
  readonly operator: Operator;
  /** The measurement, `operator.measurementShape`. */
  readonly measurement: Image;
  /** The image that a method should give, `operator.imageShape`; absent where nobody knows it. */
  readonly image?: Image;
  /** What scores are computed against, where it is not a view of `image`. */
  readonly reference?: Image;
  /** What training is shown in place of `image`, `operator.imageShape`, where the two differ. */
  readonly label?: Image;
}

/**
 * How a benchmark measures. The same sample always gets the same operator and the same noise: whatever is drawn
 * comes from a stream that is named after the sample and not after the method, so that all methods meet the same.
 */
export interface Acquisition {
  /** E.g. `"cartesian-mri"`. */
  readonly name: string;
  /** All that decides what it does. */
  readonly settings: { readonly [key: string]: Json };
  /** Measures one sample. `rng` is the sample's own stream. Operators that are equal are the same object. */
  measure(sample: Measurable, rng: Rng): Promise<Measured>;
}
