/** What a job or a run stands on: the suite's parts, the settled configuration, and the opened data. */

import type { Benchmark } from "../benchmarks/benchmark.ts";
import type { Values } from "../core/settings.ts";
import type { Contents, Dataset, DatasetKind, OpenOptions } from "../datasets/dataset.ts";
import type { Claim } from "../results/run.ts";

/** A user's module that adds to the suite. */
export interface Module {
  readonly path: string;
  /** Of its text, so that results are not taken for those of another version of it. */
  readonly sha256: string;
  /** Rows that it adds, by benchmark. */
  readonly rows: ReadonlyMap<string, readonly string[]>;
  /** Benchmarks that it defines or adds kinds of data to, and so decides all numbers of. */
  readonly shapes: readonly string[];
}

/** The concrete parts, which the harness knows by their types only: whoever starts it hands them in. */
export interface Suite {
  readonly benchmarks: readonly Benchmark[];
  /** What papers say of their rows. */
  readonly claims?: readonly Claim[];
  /** Where some of them come from. */
  readonly modules?: readonly Module[];
  /** Opens files and folders as one of `kinds`. */
  openData(
    kinds: readonly DatasetKind[],
    paths: readonly string[],
    options: OpenOptions,
    contents?: Contents,
  ): Promise<Dataset>;
}

/** Opens a benchmark's data: files where paths are given, else the embedded ones. */
export async function openDataset(
  suite: Suite,
  benchmark: Benchmark,
  settings: Values,
  paths: readonly string[],
  options: OpenOptions,
  contents?: Contents,
): Promise<Dataset> {
  if (paths.length === 0) return benchmark.embedded(settings, options.stream);
  // A completed dataset is not what its files were opened as, so those are looked at again.
  const known = benchmark.complete === undefined ? contents : undefined;
  const files = await suite.openData(benchmark.kinds, paths, { ...options, settings }, known);
  return benchmark.complete?.(files, settings, options.stream) ?? files;
}
