/** What a stack's values say of light: its background, its brightest places, and how much these change in time. */

/** The levels of a stack, in its own units. */
export interface Levels {
  /** The value that a tenth of the pixels lie below: the background, where most of the field is dark. */
  readonly low: number;
  /** The value that all but one pixel of a thousand lie below. */
  readonly high: number;
  /** Of frames in time: mean and variance in time of the tenth of the pixels that are darkest on average. */
  readonly dark?: { readonly mean: number; readonly variance: number };
  /**
   * Of frames in time: Σ of the pixels' third cumulants over Σ of what their variances are above the dark ones'. Light that
   * does not change has no part in it; spots that come and go make it as large as they are bright.
   */
  readonly flicker?: number;
}

const shares = [0.1, 0.999] as const;
// Camera counts, of 16 bits with a sign or without.
const [least, most] = [-(2 ** 15), 2 ** 16];

/**
 * Watches a stack's pages as they pass, in memory that does not depend on their number. Ranks of whole numbers of 16 bits
 * are counted on the way; for other values {@linkcode LevelsOfStack.result} asks to see all pages twice more.
 */
export class LevelsOfStack {
  readonly #counts = new Float64Array(most - least);
  #isCounted = true;
  #pixels = 0;
  #pages = 0;
  // Of powers of the difference to the first page, so that few digits are lost.
  #first = new Float32Array();
  #sums: readonly Float64Array[] = [];

  /** @param inTime whether pages are frames in time. */
  constructor(readonly inTime: boolean) {}

  /** Sees the next page. */
  add(values: Float32Array): void {
    this.#pixels += values.length;
    this.#pages += 1;
    for (let i = 0; this.#isCounted && i < values.length; i++) {
      const value = values[i];
      if (Number.isInteger(value) && value >= least && value < most) this.#counts[value - least] += 1;
      else this.#isCounted = false;
    }
    if (!this.inTime) return;
    if (this.#pages === 1) {
      this.#first = values.slice();
      this.#sums = [1, 2, 3].map(() => new Float64Array(values.length));
    }
    const [sum, squares, cubes] = this.#sums;
    for (let i = 0; i < values.length; i++) {
      const difference = values[i] - this.#first[i];
      sum[i] += difference;
      squares[i] += difference ** 2;
      cubes[i] += difference ** 3;
    }
  }

  /** The levels of what it saw; `again` shows all pages once more, in any order. */
  async result(again: () => AsyncIterable<Float32Array>): Promise<Levels> {
    const ranks = shares.map((share) => Math.floor(share * (this.#pixels - 1)));
    const [low, high] = this.#isCounted
      ? ranks.map((rank) => ranked(this.#counts, rank).bin + least)
      : await byBits(ranks, again);
    return { low, high, ...this.#changes() };
  }

  #changes(): Pick<Levels, "dark" | "flicker"> {
    const n = this.#pages;
    if (!this.inTime || n < 3) return {};
    const [sum, squares, cubes] = this.#sums;
    const mean = sum.map((of, i) => of / n + this.#first[i]);
    // Unbiased, by the k-statistics of R. A. Fisher.
    const variance = sum.map((s, i) => (squares[i] - s * s / n) / (n - 1));
    const third = sum.map((s, i) =>
      (n * n * cubes[i] - 3 * n * s * squares[i] + 2 * s ** 3) / (n * (n - 1) * (n - 2))
    );
    const order = Array.from(mean.keys()).sort((a, b) => mean[a] - mean[b] || a - b);
    const darkest = order.slice(0, Math.ceil(order.length / 10));
    const averageOf = (values: Float64Array) =>
      darkest.reduce((total, i) => total + values[i], 0) / darkest.length;
    const dark = { mean: averageOf(mean), variance: averageOf(variance) };
    const changes = variance.reduce((total, value) => total + value - dark.variance, 0);
    const skew = third.reduce((total, value) => total + value, 0);
    return { dark, ...(changes > 0 && skew > 0 && { flicker: skew / changes }) };
  }
}

/** The values at these ranks: float32 as whole numbers in the same order, of which the upper half is counted first. */
async function byBits(ranks: readonly number[], again: () => AsyncIterable<Float32Array>): Promise<number[]> {
  const upper = new Float64Array(2 ** 16);
  await eachKey(again, (key) => upper[key >>> 16] += 1);
  const found = ranks.map((rank) => ranked(upper, rank));
  const lower = found.map(() => new Float64Array(2 ** 16));
  await eachKey(again, (key) =>
    found.forEach(({ bin }, i) => {
      if (key >>> 16 === bin) lower[i][key & 0xffff] += 1;
    }));
  return found.map(({ bin, left }, i) => valueOf(bin * 2 ** 16 + ranked(lower[i], left).bin));
}

/** The bin that holds the rank, and how many of the bin's lie before it. */
function ranked(counts: Float64Array, rank: number): { bin: number; left: number } {
  let left = rank;
  let bin = 0;
  while (left >= counts[bin]) left -= counts[bin++];
  return { bin, left };
}

async function eachKey(
  again: () => AsyncIterable<Float32Array>,
  see: (key: number) => void,
): Promise<void> {
  for await (const values of again()) {
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    // Of positive numbers the sign is set, of negative ones every bit is turned, so that keys count upwards.
    for (const word of bits) see((word >>> 31 ? ~word : word | 2 ** 31) >>> 0);
  }
}

function valueOf(key: number): number {
  const word = key >= 2 ** 31 ? key - 2 ** 31 : ~key >>> 0;
  return new Float32Array(Uint32Array.of(word).buffer)[0];
}
