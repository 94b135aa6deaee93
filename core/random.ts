/**
 * Randomness that has a name, not a position.
 *
 * `stream("mri/test-noise/s1")` gives the same numbers whenever and wherever it is opened, and a draw that is
 * added to one stream never changes another.
 */

import { createHash } from "node:crypto";
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";

/** A stream of random numbers. Every method draws from the same position and moves it on. */
export interface Rng {
  /** A float in [0, 1), a multiple of 2⁻³². */
  uniform(): number;
  /** An integer in [0, n), each equally likely. */
  integer(n: number): number;
  /** A draw from N(0, 1). */
  normal(): number;
  /** A copy of `items` in random order (Fisher-Yates). */
  shuffled<T>(items: readonly T[]): T[];
  /** The stream that belongs to this one under `name`; opening it does not move this one. */
  stream(name: string): Rng;
  /** Where it is: what {@linkcode Rng.restore} goes on from, to the same numbers. */
  state(): RngState;
  /** Goes on from a state of the stream of this name. */
  restore(state: RngState): void;
}

/** The position of an {@linkcode Rng}, as plain JSON. */
export interface RngState {
  /** The generator's words. */
  readonly words: readonly number[];
  /** A normal number that was drawn and not handed out yet; null where there is none. */
  readonly spare: number | null;
}

/** Opens the stream of random numbers called `name` (xoroshiro128+, state from the SHA-256 of the name). */
export function stream(name: string): Rng {
  const digest = createHash("sha256").update(name).digest();
  // The one forbidden state, all zeros, would need a SHA-256 that starts with 128 zero bits.
  let generator = xoroshiro128plusFromState([0, 4, 8, 12].map((at) => digest.readInt32LE(at)));
  const next = (): number => generator.next() >>> 0;
  let spare: number | undefined;

  const rng: Rng = {
    uniform: () => next() * 2 ** -32,
    integer(n) {
      if (!Number.isInteger(n) || n < 1 || n > 2 ** 32) {
        throw new RangeError(`integer(n) needs a whole n in [1, 2^32], not ${n}`);
      }
      // Rejecting the incomplete last block keeps every value equally likely.
      const limit = 2 ** 32 - (2 ** 32 % n);
      let word = next();
      while (word >= limit) word = next();
      return word % n;
    },
    normal() {
      if (spare !== undefined) {
        const value = spare;
        spare = undefined;
        return value;
      }
      // Box-Muller; 1 - u is in (0, 1], so the logarithm is finite.
      const radius = Math.sqrt(-2 * Math.log(1 - rng.uniform()));
      const angle = 2 * Math.PI * rng.uniform();
      spare = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
    shuffled(items) {
      const copy = [...items];
      for (let i = copy.length - 1; i > 0; i--) {
        const j = rng.integer(i + 1);
        [copy[i], copy[j]] = [copy[j], copy[i]];
      }
      return copy;
    },
    stream: (child) => stream(`${name}/${child}`),
    state: () => ({ words: [...generator.getState()], spare: spare ?? null }),
    restore(state) {
      generator = xoroshiro128plusFromState([...state.words]);
      spare = state.spare ?? undefined;
    },
  };
  return rng;
}
