/** The suite's parts, put together: the one place that knows all benchmarks, and a user's own modules. */

import type { Benchmark, Row } from "../benchmarks/benchmark.ts";
import { mri } from "../benchmarks/mri.ts";
import { suggest, UsageError } from "../core/errors.ts";
import type { DatasetKind } from "../datasets/dataset.ts";
import { openData } from "../datasets/open.ts";
import type { Suite } from "../harness/context.ts";

/** The benchmarks that come with the suite. */
export const benchmarks: readonly Benchmark[] = [mri];

/** What a user's module gives as its default export: `--use FILE.ts`. */
export interface Extension {
  /** Further benchmarks. */
  readonly benchmarks?: readonly Benchmark[];
  /** Further rows, by the name of the benchmark whose table they join. */
  readonly rows?: Readonly<Record<string, readonly Row[]>>;
  /** Further kinds of data for `--data`, by the name of the benchmark. */
  readonly kinds?: Readonly<Record<string, readonly DatasetKind[]>>;
}

/** The suite with the modules of `--use` added. */
export async function loadSuite(use: readonly string[]): Promise<Suite> {
  let all = [...benchmarks];
  for (const path of use) {
    const { default: extension } = await load(path);
    all.push(...extension.benchmarks ?? []);
    for (const name of [...Object.keys(extension.rows ?? {}), ...Object.keys(extension.kinds ?? {})]) {
      if (all.some((benchmark) => benchmark.name === name)) continue;
      throw new UsageError({
        what: `it adds to an unknown benchmark "${name}"`,
        where: `--use ${path}`,
        fix: suggest(name, all.map((benchmark) => benchmark.name)),
      });
    }
    all = all.map((benchmark) => ({
      ...benchmark,
      rows: [...benchmark.rows, ...extension.rows?.[benchmark.name] ?? []],
      kinds: [...benchmark.kinds, ...extension.kinds?.[benchmark.name] ?? []],
    }));
  }
  assertDistinct(all.map(({ name }) => name), "benchmark");
  for (const { name, rows, byName } of all) {
    assertDistinct([...rows, ...byName].map((row) => row.name), `method of ${name}`);
  }
  return { benchmarks: all, openData };
}

async function load(path: string): Promise<{ default: Extension }> {
  const where = `--use ${path}`;
  let module: { default?: unknown };
  try {
    const file = await Deno.realPath(path);
    module = await import(`file://${file.split("/").map(encodeURIComponent).join("/")}`);
  } catch (cause) {
    throw new UsageError({
      what: `the module cannot be loaded: ${(cause as Error).message}`,
      where,
      fix: "mend it; `deno check` on it says more",
    }, { cause });
  }
  const known = ["benchmarks", "rows", "kinds"];
  const extension = module.default;
  const fix =
    "export default { rows: { mri: [{ name, method }] } } satisfies Extension; the README has an example";
  if (typeof extension !== "object" || extension === null) {
    throw new UsageError({ what: "the module has no default export that adds anything", where, fix });
  }
  for (const key of Object.keys(extension)) {
    if (!known.includes(key)) {
      throw new UsageError({ what: `it exports an unknown "${key}"`, where, fix: suggest(key, known) });
    }
  }
  return { default: extension };
}

function assertDistinct(names: readonly string[], kind: string): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  throw new UsageError({ what: `there are two of the ${kind} "${twice}"`, fix: "give yours another name" });
}
