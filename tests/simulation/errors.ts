/** Made-up differences of two rows whose true mean is known, for finding out how often statistics err. */

import type { Rng } from "../../core/random.ts";

/** How much each source adds, as standard deviations. */
export interface Sources {
  readonly subjects: number;
  readonly seeds: number;
  /** Of single scores, beyond their subject and seed. */
  readonly scores: number;
}

/** What mostly makes scores differ. */
export const mixes = {
  subjects: { subjects: 1, seeds: 0.1, scores: 0.3 },
  both: { subjects: 0.5, seeds: 0.5, scores: 0.5 },
  seeds: { subjects: 0.2, seeds: 1, scores: 0.3 },
} as const satisfies Record<string, Sources>;

/** Kinds of error. Clustered: four samples a subject that are alike in every seed, as slices of a volume are. */
export const kinds = ["normal", "skewed", "clustered"] as const;

/** One of {@linkcode kinds}. */
export type Kind = (typeof kinds)[number];

/** Differences `[subject][seed]` whose true mean is 0. */
export function differences(
  rng: Rng,
  kind: Kind,
  sources: Sources,
  subjects: number,
  seeds: number,
): number[][] {
  // The exponential distribution has skewness 2.
  const draw = kind === "skewed" ? () => -Math.log(1 - rng.uniform()) - 1 : () => rng.normal();
  const ofSeeds = Array.from({ length: seeds }, () => sources.seeds * draw());
  const samples = kind === "clustered" ? 4 : 1;
  return Array.from({ length: subjects }, () => {
    const ofSubject = sources.subjects * draw();
    const line = Array<number>(seeds).fill(0);
    for (let sample = 0; sample < samples; sample++) {
      const ofSample = kind === "clustered" ? sources.scores * draw() : 0;
      for (let seed = 0; seed < seeds; seed++) {
        line[seed] += (ofSubject + ofSample + ofSeeds[seed] + sources.scores * draw()) / samples;
      }
    }
    return line;
  });
}
