/**
 * The numbers of NumPy's `RandomState`, for what published programs drew with it.
 *
 * Only masks that must equal other people's masks come from here; everything of our own comes from
 * `core/random.ts`.
 */

import { mersenneFromState } from "pure-rand/generator/mersenne";

/** The part of `numpy.random.RandomState` that fastMRI's masks are drawn with. */
export interface NumpyRandom {
  /** `random_sample()`: a float in [0, 1) of 53 bits. */
  uniform(): number;
  /** `randint(n)`: an integer in [0, n), by masking and rejection; n of at most 2³². */
  integer(n: number): number;
}

const words = 624;

/** `numpy.random.RandomState(seed)` for a seed that is a sequence of integers in [0, 2³²). */
export function numpyRandom(seed: readonly number[]): NumpyRandom {
  if (seed.length === 0) throw new RangeError("a seed needs at least one number");
  const generator = mersenneFromState([0, ...stateOf(seed)]);
  // The generator takes a state that has been stepped already: one round of draws steps all its words.
  for (let i = 0; i < words; i++) generator.next();
  const next = (): number => generator.next() >>> 0;

  return {
    uniform() {
      const high = next() >>> 5;
      const low = next() >>> 6;
      return (high * 2 ** 26 + low) / 2 ** 53;
    },
    integer(n) {
      if (!Number.isInteger(n) || n < 1 || n > 2 ** 32) {
        throw new RangeError(`integer(n) needs a whole n in [1, 2^32], not ${n}`);
      }
      if (n === 1) return 0; // NumPy draws nothing here
      const mask = 2 ** Math.ceil(Math.log2(n)) - 1;
      let word = (next() & mask) >>> 0;
      while (word >= n) word = (next() & mask) >>> 0;
      return word;
    },
  };
}

/**
 * `init_by_array` of the Mersenne Twister MT19937 (Matsumoto & Nishimura 1998; the seeding is that of 2002).
 */
function stateOf(seed: readonly number[]): Int32Array {
  const state = new Int32Array(words);
  const mixed = (at: number): number => state[at] ^ (state[at] >>> 30);
  state[0] = 19650218;
  for (let i = 1; i < words; i++) state[i] = Math.imul(1812433253, mixed(i - 1)) + i;

  let at = 1;
  const stepOn = (): void => {
    at += 1;
    if (at === words) {
      state[0] = state[words - 1];
      at = 1;
    }
  };
  for (let i = 0; i < Math.max(words, seed.length); i++) {
    const which = i % seed.length;
    state[at] = (state[at] ^ Math.imul(mixed(at - 1), 1664525)) + seed[which] + which;
    stepOn();
  }
  for (let i = 0; i < words - 1; i++) {
    state[at] = (state[at] ^ Math.imul(mixed(at - 1), 1566083941)) - at;
    stepOn();
  }
  state[0] = 0x80000000 | 0;
  return state;
}
