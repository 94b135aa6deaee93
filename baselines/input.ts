/** The input itself: what every network is given, scored as it is. */

import type { Method } from "../methods/method.ts";

/**
 * Reconstructs nothing: gives what a network sees of the measurement (the zero-filled image, filtered
 * back-projection, an upsampled frame). It is the row that every other has to beat.
 */
export const input: Method = {
  name: "input",
  about: "what the networks are given, as it is",
  source: "the lower bound of every comparison",
  knows: { pairs: false, operator: "nothing" },
  settings: {},
  trains: false,
  effort: 0,
  prepare: () => ({
    parameters: 0,
    macs: () => 0,
    reconstruct: (y, { see }) => see(y),
    weights: () => Promise.resolve([]),
    [Symbol.dispose]: () => {},
  }),
};
