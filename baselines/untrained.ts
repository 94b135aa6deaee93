/** What methods without weights have in common. */

import type { Learner } from "../methods/method.ts";

/** A learner that learns nothing: it only reconstructs. */
export function untrained(reconstruct: Learner["reconstruct"]): Learner {
  return {
    parameters: 0,
    macs: () => undefined,
    reconstruct,
    weights: () => Promise.resolve([]),
    [Symbol.dispose]: () => {},
  };
}
