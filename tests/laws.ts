/** Laws: what holds of all values of a kind, tried on many that fast-check draws from a fixed seed and shrinks where it fails. */

import * as fc from "fast-check";

export { fc };

/** Tries a law on `runs` draws, always the same ones. */
export async function always<T extends [unknown, ...unknown[]]>(
  kinds: { readonly [K in keyof T]: fc.Arbitrary<T[K]> },
  law: (...values: T) => void | Promise<void>,
  runs = 100,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.tuple<T>(...kinds), async (values) => {
      await law(...values);
    }),
    { seed: 20201, numRuns: runs },
  );
}

/** Finite numbers of ordinary size. */
export const ordinary = fc.double({ min: -1e6, max: 1e6, noNaN: true });
