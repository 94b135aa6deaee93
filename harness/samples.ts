/**
 * Samples on their way: from the dataset through the acquisition to scaled batches.
 *
 * A {@linkcode Shelf} keeps what was measured while there is room and measures again what there was none for; the
 * same sample gives the same values either way. {@linkcode batches} deals them out to a method, which sees only what
 * it may know.
 */

import * as tf from "@tensorflow/tfjs-core";
import type { Benchmark, Window } from "../benchmarks/benchmark.ts";
import { explain } from "../core/errors.ts";
import { type Image, mirrored, part, scaled } from "../core/image.ts";
import { type Rng, type RngState, stream } from "../core/random.ts";
import type { Values } from "../core/settings.ts";
import type { Dataset, Sample, Tile } from "../datasets/dataset.ts";
import type { Batch, Knows, Meeting, Problem } from "../methods/method.ts";
import type { Acquisition, Measured } from "../physics/acquisition.ts";
import type { SampleRef } from "./split.ts";

/** A measured sample, and what it is divided by before a method sees it. */
export interface Encounter {
  readonly ref: SampleRef;
  /** In the data's own units. */
  readonly measured: Measured;
  readonly scale: number;
  /** The values that methods without the operator are shown; all of them where it is absent. */
  readonly window?: Window;
  /** What a network sees, in the data's own units. */
  readonly seen: Image;
  /** Where the sample was cut out of a larger one. */
  readonly tile?: Tile;
}

// Enough for the images of the embedded data. What is measured of them is made again where there is no room for it:
// that takes a fraction of a millisecond, and mirrored images would fill the memory of a small machine. Large images
// are another matter, whose measuring takes far longer than looking at them: a few dozen are kept whatever they take.
const storeBytes = 24 * 2 ** 20;
const leastKept = 48;
const mostBytes = 384 * 2 ** 20;

/** How a training image can be mirrored: along which of depth, height and width. */
const mirrors = {
  "as it is": [false, false, false],
  rows: [false, true, false],
  columns: [false, false, true],
  both: [false, true, true],
  slices: [true, false, false],
  "slices and rows": [true, true, false],
  "slices and columns": [true, false, true],
  "all three": [true, true, true],
} as const;

/** One of the ways to mirror an image, or a volume, which has twice as many. */
export type Mirror = keyof typeof mirrors;

/** The ways to mirror what has this shape. */
function mirrorsOf(shape: readonly number[]): readonly Mirror[] {
  const all = Object.keys(mirrors) as Mirror[];
  return shape.length === 4 ? all : all.filter((mirror) => !mirrors[mirror][0]);
}

/** Measured samples of one benchmark's data. */
export class Shelf {
  readonly #samples = new Store<Sample>();
  readonly #encounters = new Store<Encounter>();

  /** `taskStream` names the randomness of the task: noise, masks. It does not depend on method or seed. */
  constructor(
    readonly dataset: Dataset,
    readonly benchmark: Benchmark,
    readonly acquisition: Acquisition,
    readonly taskStream: string,
    readonly window?: Window,
  ) {}

  /** The same data measured in another way. */
  under(settings: Values): Shelf {
    return Shelf.of(this.dataset, this.benchmark, settings, this.taskStream);
  }

  /** Opens the shelf of a benchmark's data; its masks and noise are named by `taskStream`. */
  static of(dataset: Dataset, benchmark: Benchmark, settings: Values, taskStream: string): Shelf {
    const acquisition = benchmark.acquisition(settings, taskStream);
    return new Shelf(dataset, benchmark, acquisition, taskStream, benchmark.window?.(settings));
  }

  /**
   * One sample, mirrored as `mirror` says before it is measured: a training image more, of the same subject.
   *
   * @param domain Whether it is to be measured, or to be simulated as the images of x and their pairs are.
   */
  async get(ref: SampleRef, mirror: Mirror = "as it is", domain: "x" | "y" = "y"): Promise<Encounter> {
    const name = `${ref.subject}/${ref.sample}`;
    const key = mirror === "as it is" ? name : `${name}/${mirror}`;
    const isSimulated = domain === "x" && this.acquisition.simulate !== undefined;
    return await this.#encounters.get(isSimulated ? `${key}/simulated` : key, bytesOfEncounter, async () => {
      const sample = await this.#samples.get(
        name,
        bytesOfSample,
        () => this.dataset.sample(ref.subject, ref.sample),
      );
      return await this.#meet(ref, mirroredSample(sample, mirror), key, isSimulated);
    });
  }

  async #meet(ref: SampleRef, sample: Sample, key: string, isSimulated: boolean): Promise<Encounter> {
    const rng = stream(`${this.taskStream}/${isSimulated ? "simulate" : "measure"}/${key}`);
    const measured = isSimulated
      ? await this.acquisition.simulate!(sample, rng)
      : await this.acquisition.measure(sample, rng);
    const seen = await seenOf(this.benchmark, measured);
    const scale = this.benchmark.scale(seen);
    if (!(scale > 0) || !Number.isFinite(scale)) {
      throw new RangeError(explain({
        what: `a sample cannot be scaled: its scale is ${scale}`,
        where: `subject "${ref.subject}", sample "${ref.sample}"`,
        fix: "leave samples without signal out of the data",
      }));
    }
    const tile = sample.tile && { tile: sample.tile };
    return { ref, measured, scale, seen, window: this.window, ...tile };
  }
}

/** What was made first stays, up to so many bytes; what came later is made again each time. */
class Store<T> {
  readonly #kept = new Map<string, T>();
  #bytes = 0;

  async get(key: string, bytesOf: (value: T) => number, make: () => Promise<T>): Promise<T> {
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const value = await make();
    const bytes = this.#bytes + bytesOf(value);
    if (bytes <= storeBytes || (this.#kept.size < leastKept && bytes <= mostBytes)) {
      this.#kept.set(key, value);
      this.#bytes = bytes;
    }
    return value;
  }
}

const bytesOf = (image?: Image) => image?.data.byteLength ?? 0;

const bytesOfSample = ({ image, measurement, reference, label }: Sample) =>
  bytesOf(image) + bytesOf(measurement) + bytesOf(reference) + bytesOf(label);

const bytesOfEncounter = ({ measured: { image, measurement, label }, seen }: Encounter) =>
  bytesOf(image) + bytesOf(measurement) + bytesOf(label) + bytesOf(seen);

/** A sample with its image mirrored; one that holds a measurement already, or its emitters, cannot be. */
function mirroredSample(sample: Sample, mirror: Mirror): Sample {
  const isFixed = sample.measurement !== undefined || sample.emitters !== undefined;
  if (mirror === "as it is" || sample.image === undefined || isFixed) return sample;
  const { reference: _, image, label, ...rest } = sample;
  return {
    ...rest,
    image: mirroredImage(image, mirror),
    ...(label === undefined ? {} : { label: mirroredImage(label, mirror) }),
  };
}

function mirroredImage(image: Image, mirror: Mirror): Image {
  return mirrored(image, mirrors[mirror].slice(4 - image.shape.length));
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
export function meetingOf(
  benchmark: Benchmark,
  { operator, form, noise }: Pick<Measured, "operator" | "form" | "noise">,
  knows: Knows,
): Meeting {
  const field = benchmark.field && { field: (image: tf.Tensor) => benchmark.field!(image, operator) };
  if (knows.operator === "nothing") {
    return { A: undefined, see: (y) => tf.clone(y) as tf.Tensor4D, ...field };
  }
  return {
    A: knows.operator === "exactly" ? operator : undefined,
    ...(form === undefined ? {} : { form }),
    ...(noise === undefined ? {} : { noise }),
    see: (y) => benchmark.see(y, operator),
    ...field,
  };
}

/** The scaled measurements that a method with this knowledge is given: as made, or as a network sees them. */
export function givenOf(encounter: Encounter, knows: Knows): Image {
  const { measured, scale, seen } = encounter;
  return knows.operator === "nothing" ? inWindow(seen, encounter) : scaled(measured.measurement, 1 / scale);
}

/** The scaled image of an encounter, as a method with this knowledge is shown it: where there is a label, that. */
export function imageOf(encounter: Encounter, knows: Knows): Image {
  const { measured: { image, label }, scale, ref } = encounter;
  if (image === undefined) {
    throw new TypeError(explain({
      what: "training needs an image, and this sample holds a measurement only",
      where: `subject "${ref.subject}", sample "${ref.sample}"`,
      fix: "put such subjects into the test part",
    }));
  }
  const shown = label ?? image;
  return knows.operator === "nothing" ? inWindow(shown, encounter) : scaled(shown, 1 / scale);
}

/** A reconstruction in the data's own units, from what a method with this knowledge made of {@linkcode givenOf}. */
export function unscaled(made: Image, encounter: Encounter, knows: Knows): Image {
  const { scale, window, seen } = encounter;
  if (knows.operator !== "nothing" || window === undefined) return scaled(made, scale);
  if (knows.measurement === false) {
    return { shape: made.shape, data: made.data.map((value) => window.low + scale * value) };
  }
  const given = inWindow(seen, encounter);
  return {
    shape: made.shape,
    data: made.data.map((value, i) => seen.data[i] + scale * (value - given.data[i])),
  };
}

/** The range that {@linkcode inWindow} brings values to. */
export function rangeOf({ window, scale }: Encounter, knows: Knows): Problem["range"] {
  if (knows.operator !== "nothing" || window === undefined) return undefined;
  return { low: 0, high: (window.high - window.low) / scale };
}

function inWindow(image: Image, { window, scale }: Encounter): Image {
  if (window === undefined) return scaled(image, 1 / scale);
  const { low, high } = window;
  return {
    shape: image.shape,
    data: image.data.map((value) => (Math.min(high, Math.max(low, value)) - low) / scale),
  };
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
  /** Side of the squares that methods without the operator are shown; 0, whole images, unless said. */
  readonly patch?: number;
  /** Orders the samples: every one once an epoch, in an order of the epoch's own. */
  readonly rng: Rng;
}

/** Deals out batches for ever, and can go on where another dealer of the same supply was. */
export interface Dealer {
  /** The next batch, which the caller owns. */
  draw(): Promise<Batch>;
  /** Where it is, as plain JSON. */
  state(): DealerState;
  /** Goes on from there. */
  restore(state: DealerState): void;
}

/** The position of a {@linkcode Dealer}. */
export interface DealerState {
  /** Of each deck of samples. */
  readonly decks: readonly DeckState[];
  /** Of the streams that patches are placed by. */
  readonly cutters: readonly RngState[];
}

/**
 * Deals out batches for ever. A method that may know pairs gets the images of x with their own measurements;
 * any other gets images of x and measurements of y, which share no subject. Where images differ in size, every size has
 * its own order, and a measurement of a size that no image of x has is not drawn.
 */
export function batches({ shelf, knows, x, y, batch, mirror, patch = 0, rng }: Supply): Dealer {
  const decks: Deck[] = [];
  const deckOf = (refs: readonly SampleRef[], domain: "x" | "y") => {
    const deck = new Deck(shelf, refs, mirror, domain, rng.stream(domain));
    decks.push(deck);
    return deck;
  };
  const side = knows.operator === "nothing" ? patch : 0;
  const [cutX, cutY] = [new Cutter(side, rng.stream("x/patch")), new Cutter(side, rng.stream("y/patch"))];
  const deal = (xs: readonly Encounter[], ys: readonly Encounter[]): Batch => {
    const places = xs.map(({ seen }) => cutX.place(seen));
    return {
      ...meetingOf(shelf.benchmark, ys[0].measured, knows),
      x: tensorOf(xs.map((encounter, i) => cutX.cut(imageOf(encounter, knows), places[i]))),
      y: tensorOf(ys.map((encounter, i) => {
        const place = knows.pairs ? places[i] : cutY.place(encounter.seen);
        return cutY.cut(givenOf(encounter, knows), place);
      })),
    };
  };
  const dealer = (draw: () => Promise<Batch>): Dealer => ({
    draw,
    state: () => ({
      decks: decks.map((deck) => deck.state()),
      cutters: [cutX, cutY].map(({ rng }) => rng.state()),
    }),
    restore(state) {
      decks.forEach((deck, i) => deck.restore(state.decks[i]));
      [cutX, cutY].forEach(({ rng }, i) => rng.restore(state.cutters[i]));
    },
  });
  if (knows.pairs) {
    const pairs = deckOf(x, "x");
    return dealer(async () => {
      const taken = await pairs.take(batch);
      return deal(taken, taken);
    });
  }

  const subjects = new Map(shelf.dataset.contents.subjects.map((subject) => [subject.id, subject]));
  const sizeOfRef = ({ subject, sample }: SampleRef) => {
    const { shape, otherShapes } = subjects.get(subject)!;
    return sizeOf(otherShapes?.[sample] ?? shape);
  };
  const images = new Map([...Map.groupBy(x, sizeOfRef)].map(([size, refs]) => [size, deckOf(refs, "x")]));
  const measurements = deckOf(y, "y");
  const imagesFor = ({ measured }: Encounter) => images.get(sizeOf(measured.operator.imageShape));
  return dealer(async () => {
    const ys = await measurements.take(batch, (candidate) => imagesFor(candidate) !== undefined);
    return deal(await imagesFor(ys[0])!.take(batch), ys);
  });
}

/** Cuts squares out of images, cubes out of volumes, at random places; axes that are no longer than the side stay whole. */
class Cutter {
  constructor(readonly side: number, readonly rng: Rng) {}

  /** Where the next one starts in an image like this one. */
  place({ shape }: Image): readonly number[] {
    return shape.slice(0, -1).map((extent) => {
      const room = this.side === 0 ? 0 : extent - this.side;
      return room > 0 ? this.rng.integer(room + 1) : 0;
    });
  }

  cut(image: Image, place: readonly number[]): Image {
    return part(
      image,
      place,
      image.shape.slice(0, -1).map((extent) => Math.min(extent, this.side || extent)),
    );
  }
}

/** Everything of a shape but its channels. */
const sizeOf = (shape: readonly number[]) => shape.slice(0, -1).join(" x ");

/** The position of a {@linkcode Deck}; samples by their number in it. */
interface DeckState {
  readonly left: readonly number[];
  readonly queue: readonly (readonly [number, Mirror])[];
  readonly epoch: number;
}

/** Samples in random order, each once an epoch. */
class Deck {
  readonly #all: readonly SampleRef[];
  readonly #mirrors: readonly Mirror[];
  #refs: readonly SampleRef[];
  #queue: { ref: SampleRef; mirror: Mirror }[] = [];
  #epoch = 0;

  constructor(
    readonly shelf: Shelf,
    refs: readonly SampleRef[],
    readonly mirror: boolean,
    readonly domain: "x" | "y",
    readonly rng: Rng,
  ) {
    this.#mirrors = mirrorsOf(shelf.dataset.contents.subjects[0].shape);
    this.#all = refs;
    this.#refs = refs;
  }

  state(): DeckState {
    const number = new Map(this.#all.map((ref, index) => [ref, index]));
    return {
      left: this.#refs.map((ref) => number.get(ref)!),
      queue: this.#queue.map(({ ref, mirror }) => [number.get(ref)!, mirror]),
      epoch: this.#epoch,
    };
  }

  restore({ left, queue, epoch }: DeckState): void {
    this.#refs = left.map((index) => this.#all[index]);
    this.#queue = queue.map(([index, mirror]) => ({ ref: this.#all[index], mirror }));
    this.#epoch = epoch;
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
      const candidate = await this.shelf.get(ref, mirror, this.domain);
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
      mirror: this.mirror ? this.#mirrors[how.integer(this.#mirrors.length)] : "as it is",
    }));
  }
}
