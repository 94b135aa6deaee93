/**
 * Samples on their way: from the dataset through the acquisition to scaled batches.
 *
 * A {@linkcode Shelf} keeps what was measured while there is room and measures again what there was none for; the
 * same sample gives the same values either way. {@linkcode batches} deals them out to a method, which sees only what
 * it may know.
 */

import * as tf from "@tensorflow/tfjs-core";
import type { Benchmark } from "../benchmarks/benchmark.ts";
import { explain } from "../core/errors.ts";
import { type Image, scaled } from "../core/image.ts";
import { type Rng, stream } from "../core/random.ts";
import type { Values } from "../core/settings.ts";
import type { Dataset, Sample } from "../datasets/dataset.ts";
import type { Batch, Knows, Meeting } from "../methods/method.ts";
import type { Acquisition, Measured } from "../physics/acquisition.ts";
import type { Operator } from "../physics/operator.ts";
import type { SampleRef } from "./split.ts";

/** A measured sample, and what it is divided by before a method sees it. */
export interface Encounter {
  readonly ref: SampleRef;
  /** In the data's own units. */
  readonly measured: Measured;
  readonly scale: number;
  /** What a network sees, in the data's own units. */
  readonly seen: Image;
}

// Enough for the images of the embedded data. What is measured of them is made again where there is no room for it:
// that takes a fraction of a millisecond, and mirrored images would fill the memory of a small machine.
const sampleBytes = 24 * 2 ** 20;
const encounterBytes = 24 * 2 ** 20;

/** How a training image can be mirrored: its rows, its columns, both, or not. */
export const mirrors = ["as it is", "rows", "columns", "both"] as const;

/** One of {@linkcode mirrors}. */
export type Mirror = typeof mirrors[number];

/** Measured samples of one benchmark's data. */
export class Shelf {
  readonly #samples = new Store<Sample>(sampleBytes);
  readonly #encounters = new Store<Encounter>(encounterBytes);

  /** `taskStream` names the randomness of the task: noise, masks. It does not depend on method or seed. */
  constructor(
    readonly dataset: Dataset,
    readonly benchmark: Benchmark,
    readonly acquisition: Acquisition,
    readonly taskStream: string,
  ) {}

  /** Opens the shelf of a benchmark's data; its masks and noise are named by `taskStream`. */
  static of(dataset: Dataset, benchmark: Benchmark, settings: Values, taskStream: string): Shelf {
    return new Shelf(dataset, benchmark, benchmark.acquisition(settings, taskStream), taskStream);
  }

  /** One sample, mirrored as `mirror` says before it is measured: a training image more, of the same subject. */
  async get(ref: SampleRef, mirror: Mirror = "as it is"): Promise<Encounter> {
    const name = `${ref.subject}/${ref.sample}`;
    const key = mirror === "as it is" ? name : `${name}/${mirror}`;
    return await this.#encounters.get(key, bytesOfEncounter, async () => {
      const sample = await this.#samples.get(
        name,
        bytesOfSample,
        () => this.dataset.sample(ref.subject, ref.sample),
      );
      return await this.#meet(ref, mirrored(sample, mirror), key);
    });
  }

  async #meet(ref: SampleRef, sample: Sample, key: string): Promise<Encounter> {
    const measured = await this.acquisition.measure(sample, stream(`${this.taskStream}/measure/${key}`));
    const seen = await seenOf(this.benchmark, measured);
    const scale = this.benchmark.scale(seen);
    if (!(scale > 0) || !Number.isFinite(scale)) {
      throw new RangeError(explain({
        what: `a sample cannot be scaled: its scale is ${scale}`,
        where: `subject "${ref.subject}", sample "${ref.sample}"`,
        fix: "leave samples without signal out of the data",
      }));
    }
    return { ref, measured, scale, seen };
  }
}

/** What was made first stays, up to so many bytes; what came later is made again each time. */
class Store<T> {
  readonly #kept = new Map<string, T>();
  #room: number;

  constructor(bytes: number) {
    this.#room = bytes;
  }

  async get(key: string, bytesOf: (value: T) => number, make: () => Promise<T>): Promise<T> {
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const value = await make();
    const bytes = bytesOf(value);
    if (bytes <= this.#room) {
      this.#kept.set(key, value);
      this.#room -= bytes;
    }
    return value;
  }
}

const bytesOf = (image?: Image) => image?.data.byteLength ?? 0;

const bytesOfSample = ({ image, measurement, reference }: Sample) =>
  bytesOf(image) + bytesOf(measurement) + bytesOf(reference);

const bytesOfEncounter = ({ measured: { image, measurement }, seen }: Encounter) =>
  bytesOf(image) + bytesOf(measurement) + bytesOf(seen);

/** A sample with its image mirrored; one that holds a measurement already cannot be. */
function mirrored(sample: Sample, mirror: Mirror): Sample {
  if (mirror === "as it is" || sample.image === undefined || sample.measurement !== undefined) return sample;
  const { reference: _, ...rest } = sample;
  return { ...rest, image: mirroredImage(sample.image, mirror) };
}

function mirroredImage({ shape, data }: Image, mirror: Mirror): Image {
  const [height, width, channels] = shape;
  const [flipRows, flipColumns] = [mirror !== "columns", mirror !== "rows"];
  const result = new Float32Array(data.length);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const from = (flipRows ? height - 1 - row : row) * width + (flipColumns ? width - 1 - column : column);
      const to = (row * width + column) * channels;
      for (let c = 0; c < channels; c++) result[to + c] = data[from * channels + c];
    }
  }
  return { shape, data: result };
}

async function seenOf(benchmark: Benchmark, { operator, measurement }: Measured): Promise<Image> {
  const seen = tf.tidy(() => benchmark.see(tensorOf([measurement]), operator));
  const image = { shape: seen.shape.slice(1), data: (await seen.data()) as Float32Array };
  seen.dispose();
  return image;
}

/** Images of one shape as a batch `[batch, ...shape]`, which the caller owns. */
export function tensorOf(images: readonly Image[]): tf.Tensor4D {
  const [first] = images;
  const data = new Float32Array(first.data.length * images.length);
  images.forEach((image, index) => data.set(image.data, index * first.data.length));
  return tf.tensor<tf.Rank.R4>(data, [images.length, ...first.shape] as [number, number, number, number]);
}

/** What a method with this knowledge meets at a measurement. */
export function meetingOf(benchmark: Benchmark, operator: Operator, knows: Knows): Meeting {
  return knows.operator === "exactly"
    ? { A: operator, see: (y) => benchmark.see(y, operator) }
    : { A: undefined, see: (y) => tf.clone(y) as tf.Tensor4D };
}

/** The scaled measurements that a method with this knowledge is given: as made, or as a network sees them. */
export function givenOf({ measured, scale, seen }: Encounter, knows: Knows): Image {
  return scaled(knows.operator === "exactly" ? measured.measurement : seen, 1 / scale);
}

/** The scaled image of an encounter. */
export function imageOf({ measured, scale, ref }: Encounter): Image {
  if (measured.image === undefined) {
    throw new TypeError(explain({
      what: "training needs an image, and this sample holds a measurement only",
      where: `subject "${ref.subject}", sample "${ref.sample}"`,
      fix: "put such subjects into the test part",
    }));
  }
  return scaled(measured.image, 1 / scale);
}

/** Where a method's batches come from. */
export interface Supply {
  readonly shelf: Shelf;
  readonly knows: Knows;
  readonly x: readonly SampleRef[];
  readonly y: readonly SampleRef[];
  readonly batch: number;
  /** Whether training samples are shown mirrored at random. */
  readonly mirror: boolean;
  /** Orders the samples: every one once an epoch, in an order of the epoch's own. */
  readonly rng: Rng;
}

/**
 * Deals out batches for ever. A method that may know pairs gets the images of x with their own measurements;
 * any other gets images of x and measurements of y, which share no subject. Where images differ in size, every size has
 * its own order, and a measurement of a size that no image of x has is not drawn.
 */
export function batches({ shelf, knows, x, y, batch, mirror, rng }: Supply): () => Promise<Batch> {
  const deckOf = (refs: readonly SampleRef[], domain: "x" | "y") =>
    new Deck(shelf, refs, mirror, rng.stream(domain));
  const deal = (xs: readonly Encounter[], ys: readonly Encounter[]): Batch => ({
    ...meetingOf(shelf.benchmark, ys[0].measured.operator, knows),
    x: tensorOf(xs.map(imageOf)),
    y: tensorOf(ys.map((encounter) => givenOf(encounter, knows))),
  });
  if (knows.pairs) {
    const pairs = deckOf(x, "x");
    return async () => {
      const taken = await pairs.take(batch);
      return deal(taken, taken);
    };
  }

  const subjects = new Map(shelf.dataset.contents.subjects.map((subject) => [subject.id, subject]));
  const sizeOfRef = ({ subject, sample }: SampleRef) => {
    const { shape, otherShapes } = subjects.get(subject)!;
    return sizeOf(otherShapes?.[sample] ?? shape);
  };
  const images = new Map([...Map.groupBy(x, sizeOfRef)].map(([size, refs]) => [size, deckOf(refs, "x")]));
  const measurements = deckOf(y, "y");
  const imagesFor = ({ measured }: Encounter) => images.get(sizeOf(measured.operator.imageShape));
  return async () => {
    const ys = await measurements.take(batch, (candidate) => imagesFor(candidate) !== undefined);
    return deal(await imagesFor(ys[0])!.take(batch), ys);
  };
}

/** Everything of a shape but its channels. */
const sizeOf = (shape: readonly number[]) => shape.slice(0, -1).join(" x ");

/** Samples in random order, each once an epoch. */
class Deck {
  #refs: readonly SampleRef[];
  #queue: { ref: SampleRef; mirror: Mirror }[] = [];
  #epoch = 0;

  constructor(
    readonly shelf: Shelf,
    refs: readonly SampleRef[],
    readonly mirror: boolean,
    readonly rng: Rng,
  ) {
    this.#refs = refs;
  }

  /**
   * Takes `count` samples that share one operator; what has another one keeps its place in the queue. What is not
   * `wanted` is taken out for good.
   */
  async take(count: number, wanted: (candidate: Encounter) => boolean = () => true): Promise<Encounter[]> {
    const taken: Encounter[] = [];
    let at = 0;
    while (taken.length < count) {
      if (at === this.#queue.length) {
        // In as many epochs a sample meets itself so often, if nothing else.
        if (at > (count + 1) * this.#refs.length) {
          throw new RangeError(explain({
            what: `no ${count} training samples of one operator`,
            fix: "give --set batch=1",
          }));
        }
        this.#queue.push(...this.#nextEpoch());
      }
      const { ref, mirror } = this.#queue[at];
      const candidate = await this.shelf.get(ref, mirror);
      if (!wanted(candidate)) this.#remove(ref, candidate);
      else if (taken.length === 0 || candidate.measured.operator === taken[0].measured.operator) {
        taken.push(candidate);
        this.#queue.splice(at, 1);
      } else at += 1;
    }
    return taken;
  }

  #remove(ref: SampleRef, { measured }: Encounter): void {
    this.#refs = this.#refs.filter((other) => other !== ref);
    this.#queue = this.#queue.filter((other) => other.ref !== ref);
    if (this.#refs.length > 0) return;
    throw new RangeError(explain({
      what: `no image of x has the size of a measurement of y, e.g. ${sizeOf(measured.operator.imageShape)}`,
      where: `subject "${ref.subject}", sample "${ref.sample}"`,
      fix: "bring all data to one size with --set matrix=N, or give a split file whose x and y share sizes",
    }));
  }

  #nextEpoch(): { ref: SampleRef; mirror: Mirror }[] {
    const rng = this.rng.stream(`epoch-${this.#epoch++}`);
    const how = rng.stream("mirror");
    return rng.shuffled(this.#refs).map((ref) => ({
      ref,
      mirror: this.mirror ? mirrors[how.integer(mirrors.length)] : "as it is",
    }));
  }
}
