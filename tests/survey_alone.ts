/** Surveys each of the files that are named, and prints what came of it as JSON. */

import { survey } from "../commands/data.ts";
import { peakMemory } from "./peak_memory.ts";

/** What a survey of files came to. */
export interface Surveyed {
  readonly files: readonly {
    readonly path: string;
    readonly seconds: number;
    readonly datasets: number;
    readonly refused: readonly { readonly path: string; readonly reason: string }[];
  }[];
  /** The most memory that the process had, in bytes. */
  readonly peak: number;
}

if (import.meta.main) {
  const files = [];
  for (const path of Deno.args) {
    const before = performance.now();
    const { datasets, refused } = await survey([path], {});
    const seconds = (performance.now() - before) / 1000;
    files.push({ path, seconds, datasets: datasets.length, refused });
  }
  console.log(JSON.stringify({ files, peak: peakMemory() } satisfies Surveyed));
}
