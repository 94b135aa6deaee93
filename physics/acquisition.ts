/** An acquisition: what becomes of a sample when it is measured. */

import type { Image } from "../core/image.ts";
import type { Json } from "../core/json.ts";
import type { Points } from "../core/points.ts";
import type { Rng } from "../core/random.ts";
import type { Form } from "./form.ts";
import type { Noise } from "./noise.ts";
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
  /** Where the emitters are that the measurement shows, where the data hold it. */
  readonly emitters?: Points;
  /** What the data say of how the measurement was made. */
  readonly acquisition?: { readonly [key: string]: Json };
}

/** A measured sample, all in the data's own units. */
export interface Measured {
  /**
   * How `measurement` came from `image`, noise apart, as far as the benchmark believes. The acquisition keeps it; nobody
   * disposes it.
   */
  readonly operator: Operator;
  /** The operator up to its kernel, for methods that learn the kernel. One object for one operator. */
  readonly form?: Form;
  /** The camera's noise, where it is calibrated. One object for one operator. */
  readonly noise?: Noise;
  /** The kernel that truly made the measurement, of sum 1, where anybody knows it. */
  readonly kernel?: Image;
  /** The measurement, `operator.measurementShape`. */
  readonly measurement: Image;
  /** The image that a method should give, `operator.imageShape`; absent where nobody knows it. */
  readonly image?: Image;
  /** What scores are computed against, where it is not a view of `image`. */
  readonly reference?: Image;
  /** What training is shown in place of `image`, `operator.imageShape`, where the two differ. */
  readonly label?: Image;
  /** Size of a pixel of the image in nm along each axis, the slowest first, where anybody knows it. */
  readonly pixelNm?: readonly number[];
  /** The emitters in it, where anybody knows them, for metrics of localisation. */
  readonly emitters?: Points;
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
  /**
   * What a simulation would make of the sample: measured as the benchmark believes that it is measured, where that is not
   * how it truly is. Matched pairs to learn from are made so. Absent: as `measure` does.
   */
  simulate?(sample: Measurable, rng: Rng): Promise<Measured>;
}
