/** The suite's parts, put together: the one place that knows all benchmarks, and a user's own modules. */

import type { Benchmark, Row } from "../benchmarks/benchmark.ts";
import { claims } from "../benchmarks/claims.ts";
import { ct } from "../benchmarks/ct.ts";
import { deconvolution } from "../benchmarks/deconvolution.ts";
import { deconvolution3d } from "../benchmarks/deconvolution_3d.ts";
import { misalignedCt } from "../benchmarks/misaligned_ct.ts";
import { mri } from "../benchmarks/mri.ts";
import { smlm } from "../benchmarks/smlm.ts";
import { suggest, UsageError } from "../core/errors.ts";
import { sha256 } from "../core/json.ts";
import type { DatasetKind } from "../datasets/dataset.ts";
import { openData } from "../datasets/open.ts";
import type { Module, Suite } from "../harness/context.ts";
import type { Claim } from "../results/run.ts";

/** The benchmarks that come with the suite. */
export const benchmarks: readonly Benchmark[] = [mri, ct, misalignedCt, deconvolution, deconvolution3d, smlm];

/** What a user's module gives as its default export: `--use FILE.ts`. */
export interface Extension {
  /** Further benchmarks. */
  readonly benchmarks?: readonly Benchmark[];
  /** Further rows, by the name of the benchmark whose table they join. */
  readonly rows?: Readonly<Record<string, readonly Row[]>>;
  /** Further kinds of data for `--data`, by the name of the benchmark. */
  readonly kinds?: Readonly<Record<string, readonly DatasetKind[]>>;
  /** What is said of rows, for a verdict on it. */
  readonly claims?: readonly Claim[];
}

/** The suite with the modules of `--use` added. */
export async function loadSuite(use: readonly string[]): Promise<Suite> {
  let all = [...benchmarks];
  const said = [...claims];
  const modules: Module[] = [];
  for (const path of use) {
    const { extension, hash } = await load(path);
    const own = extension.benchmarks ?? [];
    const rows = new Map(Object.entries(extension.rows ?? {}));
    const kinds = new Map(Object.entries(extension.kinds ?? {}));
    all.push(...own);
    said.push(...extension.claims ?? []);
    for (const name of [...rows.keys(), ...kinds.keys()]) {
      if (all.some((benchmark) => benchmark.name === name)) continue;
      throw new UsageError({
        what: `it adds to an unknown benchmark "${name}"`,
        where: `--use ${path}`,
        fix: suggest(name, all.map((benchmark) => benchmark.name)),
      });
    }
    all = all.map((benchmark) => ({
      ...benchmark,
      rows: [...benchmark.rows, ...rows.get(benchmark.name) ?? []],
      kinds: [...benchmark.kinds, ...kinds.get(benchmark.name) ?? []],
    }));
    modules.push({
      path,
      sha256: hash,
      rows: new Map([...rows].map(([name, list]) => [name, list.map((row) => row.name)])),
      shapes: [...own.map(({ name }) => name), ...kinds.keys()],
    });
  }
  assertNames(all.map(({ name }) => name), "benchmark");
  for (const { name, rows, byName } of all) {
    assertNames([...rows, ...byName].map((row) => row.name), `method of ${name}`);
  }
  return { benchmarks: all, claims: said, modules, openData };
}

/** What a run is answered that names modules which this user has not named. */
export function unnamedModules(use: readonly string[], where: string): UsageError {
  return new UsageError({
    what: `the run was made with ${use.join(", ")}, which ${
      use.length === 1 ? "is a program" : "are programs"
    }`,
    where,
    fix: `read ${use.length === 1 ? "it" : "them"}, and give ${use.map((path) => `--use ${path}`).join(" ")}`,
  });
}

async function load(path: string): Promise<{ extension: Extension; hash: string }> {
  const where = `--use ${path}`;
  let module: { default?: unknown };
  let hash: string;
  try {
    const file = await Deno.realPath(path);
    hash = sha256(await Deno.readFile(file));
    module = await import(`file://${file.split("/").map(encodeURIComponent).join("/")}`);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError({
      what: `the module cannot be loaded: ${message}`,
      where,
      fix: message.includes("Requires read access")
        ? "put the file itself, no link to it, and all that it imports into one folder: workers may read no other"
        : "mend it; `deno check` on it says more",
    }, { cause });
  }
  const extension = module.default;
  if (!isObject(extension)) {
    throw new UsageError({
      what: "the module has no default export that adds anything",
      where,
      fix: example,
    });
  }
  const known = ["benchmarks", "rows", "kinds", "claims"];
  for (const key of Object.keys(extension)) {
    if (!known.includes(key)) {
      throw new UsageError({ what: `it exports an unknown "${key}"`, where, fix: suggest(key, known) });
    }
  }
  const { benchmarks = [], rows = {}, kinds = {}, claims = [] } = extension;
  const refuse = (what: string): never => {
    throw new UsageError({ what, where, fix: example });
  };
  if (!isListOf(benchmarks, "name", "rows", "metrics", "profiles", "settings")) {
    refuse(`its "benchmarks" is no list of benchmarks`);
  }
  if (!isListOf(claims, "benchmark", "claim", "source", "methods", "metric", "direction")) {
    return refuse(
      `its "claims" is no list of objects with benchmark, claim, source, methods, metric, direction`,
    );
  }
  for (const claim of claims as Claim[]) {
    const wrong = whyNoClaim(claim);
    if (wrong !== undefined) refuse(`its claim "${claim.claim}" ${wrong}`);
  }
  for (const [key, parts] of Object.entries({ rows, kinds })) {
    if (!isObject(parts)) return refuse(`its "${key}" is no object of lists by the benchmark's name`);
    const needs = key === "rows" ? ["name", "method"] : ["kind", "recognises", "open"];
    for (const [name, list] of Object.entries(parts)) {
      if (!isListOf(list, ...needs)) {
        refuse(`"${key}.${name}" is no list of objects with ${needs.join(", ")}`);
      }
    }
  }
  for (const { name, method } of Object.values(rows as Record<string, Row[]>).flat()) {
    const missing = ["settings", "knows", "prepare"].find((part) => !(part in Object(method)));
    if (missing !== undefined) refuse(`the method of its row "${name}" has no "${missing}"`);
  }
  return { extension: extension as Extension, hash };
}

const directions = ["better", "comparable", "contributes"];

/** What is wrong with a claim, where anything is. */
function whyNoClaim({ methods, direction, margin }: Claim): string | undefined {
  if (!directions.includes(direction)) {
    return `has the direction "${direction}": ${suggest(direction, directions)}`;
  }
  if (!Array.isArray(methods) || methods.length !== 2) return "is not of two rows";
  if (margin === undefined ? direction !== "better" : !(Number.isFinite(margin) && margin >= 0)) {
    return "needs a margin, a number of the metric's unit";
  }
  return undefined;
}

const example =
  "export default { rows: { mri: [{ name, method }] } } satisfies Extension; the README has an example";

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isListOf(value: unknown, ...parts: string[]): boolean {
  return Array.isArray(value) && value.every((item) => isObject(item) && parts.every((part) => part in item));
}

/** Names stand in file names, in `--methods a,b` and in `--set method.name=value`. */
function assertNames(names: readonly string[], kind: string): void {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw new UsageError({ what: `there are two of the ${kind} "${twice}"`, fix: "give yours another name" });
  }
  const strange = names.find((name) => !/^[a-z0-9][\w-]*$/i.test(name));
  if (strange !== undefined) {
    throw new UsageError({
      what: `"${strange}" cannot be the name of a ${kind}`,
      fix: "use letters, digits, - and _",
    });
  }
}
