/** What a job or a run stands on: the suite's parts, the settled configuration, and the opened data. */

import type { Benchmark } from "../benchmarks/benchmark.ts";
import type { Values } from "../core/settings.ts";
import type { Contents, Dataset, DatasetKind, OpenOptions } from "../datasets/dataset.ts";

/** The concrete parts, which the harness knows by their types only: whoever starts it hands them in. */
export interface Suite {
  readonly benchmarks: readonly Benchmark[];
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
  return await suite.openData(benchmark.kinds, paths, { ...options, settings }, contents);
}
