/** Preparing a run: from what was asked and what the data hold to `run.json` and `plan.json`. */

import { UsageError } from "../core/errors.ts";
import { canonicalJson, type Json, sha256 } from "../core/json.ts";
import { stream } from "../core/random.ts";
import type { Values } from "../core/settings.ts";
import type { Contents } from "../datasets/dataset.ts";
import { startBackend } from "../engine/backend.ts";
import type { RowHead, RunFile, SplitSummary } from "../results/run.ts";
import { hashOfSources, type Sources, sourcesOf } from "./code.ts";
import { type Configuration, configure, type Request } from "./configuration.ts";
import { type Module, openDataset, type Suite } from "./context.ts";
import { metricsUnder, viewOf } from "./evaluate.ts";
import { openFolder } from "./folder.ts";
import { type Job, jobsOf, type Plan } from "./plan.ts";
import { provenanceOf } from "./provenance.ts";
import { Shelf } from "./samples.ts";
import {
  assertNoLeak,
  everythingIsTest,
  firstOf,
  partNames,
  type Split,
  splitBanner,
  splitBySubject,
  splitFromFile,
  splitIntoSlabs,
  splitKinds,
  splitNotes,
  splitShuffled,
} from "./split.ts";

/** Everything that the command line says about a run. */
export interface Order {
  readonly request: Request;
  readonly data: readonly string[];
  readonly split: string;
  readonly sliceAxis?: number;
  readonly dataSeed: number;
  readonly use: readonly string[];
  readonly backend: string;
  readonly portable: boolean;
  readonly replay?: boolean;
  readonly out: string;
  readonly fresh: boolean;
  readonly keepImages: boolean;
  readonly keepWeights?: boolean;
  readonly checkpointSeconds?: number;
  readonly hangSeconds?: number;
}

/** A run that is ready to go. */
export interface Prepared {
  readonly folder: string;
  readonly configuration: Configuration;
  readonly run: RunFile;
  readonly plan: Plan;
  /** Jobs of an earlier run whose records are of another version of a user's module. */
  readonly stale: readonly Job[];
  /** The sources that compute a row. */
  sourcesOf(method: string): Sources | undefined;
  /** Those of all rows when the folder was last planned, where it was and says so. */
  readonly earlierCode?: Sources;
}

/** Prepares a run: settles the configuration, opens the data, splits them, and opens the folder. */
export async function prepare(suite: Suite, order: Order): Promise<Prepared> {
  const configuration = configure(suite.benchmarks, order.request);
  const { benchmark, settings } = configuration;
  const { modules = [] } = suite;
  const backend = await startBackend({ name: order.backend, portable: order.portable });
  const dataStream = `${benchmark.name}/data-${order.dataSeed}`;
  const options = { matrix: benchmark.matrix(settings), sliceAxis: order.sliceAxis, stream: dataStream };
  const dataset = await openDataset(suite, benchmark, settings, order.data, options);
  const { contents } = dataset;
  const whole = await splitOf(order, contents, configuration, dataStream);
  const { mostSamples } = benchmark.profiles[configuration.profile]!;
  const isCut = mostSamples !== undefined && order.data.length > 0;
  const split = isCut ? firstOf(whole, mostSamples) : whole;
  const said = isCut ? cutShort(contents, mostSamples) : contents;
  assertNoLeak(split, contents.subjects);
  assertEnough(split, configuration, contents);
  await rehearse(Shelf.of(dataset, benchmark, settings, dataStream), settings, split);
  dataset.close();

  const beside = benchmark.files?.(settings) ?? [];
  const files = await Promise.all(beside.map(async (path) => sha256(await Deno.readFile(path))));
  const identity = {
    benchmark: benchmark.name,
    profile: configuration.profile,
    data: { kind: contents.kind, name: contents.name, hash: contents.hash, seed: order.dataSeed },
    split: { kind: split.kind, hash: sha256(canonicalJson(split.parts as unknown as Json)) },
    settings,
    set: Object.fromEntries(
      configuration.rows.filter(({ set }) => Object.keys(set).length > 0).map((
        { row, set },
      ) => [row.name, set]),
    ),
    // What lies under a name may become another thing.
    ...(files.length === 0 ? {} : { files }),
    use: modules.filter(({ shapes }) => shapes.includes(benchmark.name)).map(({ sha256 }) => sha256),
    backend: backend.name,
    arithmetic: backend.arithmetic,
  } satisfies RunFile["identity"];
  const hash = sha256(canonicalJson(identity));
  const code = sourcesOf({ benchmark: benchmark.name, modules });

  const claims = (suite.claims ?? []).filter((claim) => claim.benchmark === benchmark.name);
  const run = {
    ...runFile(configuration, said, split, identity, hash, provenanceOf(backend, hashOfSources(code))),
    // A smoke run says nothing about quality, and a check asks another question.
    claims: ["smoke", "check"].includes(configuration.profile) ? [] : claims,
  };
  const earlier = await openFolder(order.out, run, order.fresh);
  const moduleOf = (method: string) => modules.find(({ rows }) => rows.get(benchmark.name)?.includes(method));
  const jobs = united(configuration, earlier, order.out, moduleOf);
  const seeds = [...new Set(jobs.map(({ seed }) => seed).filter((seed) => seed !== null))].sort((a, b) =>
    a - b
  );
  const names = new Set(jobs.map(({ method }) => method));
  return {
    folder: order.out,
    configuration,
    run: {
      ...run,
      seeds,
      rows: run.rows.filter(({ name }) => names.has(name)),
      order: orderOf(order, [...names], seeds),
    },
    plan: {
      version: 1,
      configuration: hash,
      request: order.request,
      jobs,
      data: {
        paths: order.data,
        beside,
        options,
        stream: dataStream,
        contents,
      },
      split,
      use: order.use,
      backend: {
        name: backend.name,
        portable: order.portable,
        replay: order.replay ?? true,
        arithmetic: backend.arithmetic,
      },
      ...(code === undefined ? {} : { code }),
      keepImages: order.keepImages,
      ...(order.keepWeights ? { keepWeights: true } : {}),
      ...(order.checkpointSeconds === undefined ? {} : { checkpointSeconds: order.checkpointSeconds }),
      ...(order.hangSeconds === undefined ? {} : { hangSeconds: order.hangSeconds }),
    },
    stale: (earlier?.jobs ?? []).filter(({ method, module }) => module !== moduleOf(method)?.sha256),
    sourcesOf: (method) => sourcesOf({ benchmark: benchmark.name, method, modules }),
    ...(earlier?.code === undefined ? {} : { earlierCode: earlier.code }),
  };
}

/** Contents that say that no more than so many samples of them were taken. */
function cutShort(contents: Contents, most: number): Contents {
  const note = `Of each subject, the first ${most} samples of a part were taken, as the profile has it.`;
  return { ...contents, notes: [...contents.notes, note] };
}

/** The order that makes a folder's rows and seeds in one go, wherever to. */
function orderOf(
  { out: _out, fresh: _fresh, request, ...rest }: Order,
  methods: readonly string[],
  seeds: readonly number[],
): RunFile["order"] {
  // A single number is a count to --seeds; a range of one is that seed.
  const list = seeds.length === 1 ? `${seeds[0]}-${seeds[0]}` : seeds.join(",");
  const whole = { ...rest, request: { ...request, methods, seeds: list === "" ? undefined : list } };
  return whole as unknown as RunFile["order"];
}

/**
 * Measures one test sample and scores what a network would see of it, so that settings that cannot be measured or
 * scored are refused before any job has started.
 */
async function rehearse(shelf: Shelf, settings: Values, split: Split): Promise<void> {
  const encounter = await shelf.get(split.parts.test[0]);
  const { benchmark } = shelf;
  const { sample, reconstruction, truth, label } = viewOf(benchmark, settings, {
    encounter,
    image: encounter.seen,
  });
  for (const metric of benchmark.metrics) {
    // What scores the whole of a subject cannot be tried on a single sample.
    if (metric.needs === undefined && metric.of !== "whole") {
      metric.score([{ sample, reconstruction, truth, label }]);
    }
  }
}

async function splitOf(
  order: Order,
  contents: Contents,
  configuration: Configuration,
  dataStream: string,
): Promise<Split> {
  const rng = stream(`${dataStream}/split`);
  switch (order.split) {
    case "subjects":
      return !learns(configuration) && contents.subjects.length < 4 &&
          contents.subjects.every(({ role }) => role !== "x")
        ? everythingIsTest(contents)
        : splitBySubject(contents, rng);
    case "slabs":
      return splitIntoSlabs(contents);
    case "shuffled":
      return splitShuffled(contents, rng);
  }
  let text: string;
  try {
    text = await Deno.readTextFile(order.split);
  } catch (cause) {
    throw new UsageError({
      what: `the split file cannot be read: ${(cause as Error).message}`,
      where: `--split ${order.split}`,
      fix: `name a JSON file, or one of ${splitKinds.join(", ")}`,
    }, { cause });
  }
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (cause) {
    throw new UsageError({
      what: `the split file is not valid JSON: ${(cause as Error).message}`,
      where: order.split,
      fix: 'write {"x": [subjects], "y": [subjects], "validation": [subjects], "test": [subjects]}',
    }, { cause });
  }
  return splitFromFile(contents, file, order.split);
}

/** Whether a chosen row needs training images. */
function learns({ rows, chosen }: Configuration): boolean {
  return rows.some(({ row: { name, method } }) => chosen.includes(name) && (method.trains || method.fits));
}

function assertEnough(split: Split, configuration: Configuration, contents: Contents): void {
  const needed = learns(configuration) ? partNames : (["test"] as const);
  for (const part of needed) {
    if (split.parts[part].length > 0) continue;
    throw new UsageError({
      what:
        `the part "${part}" of the split is empty: ${contents.name} has ${contents.subjects.length} subject${
          contents.subjects.length === 1 ? "" : "s"
        }`,
      where: `--split ${split.kind}`,
      fix: part === "validation" || part === "test"
        ? `give more subjects, or a split file that fills "${part}"`
        : "give at least two training subjects, one for images and one for measurements",
    });
  }
}

function runFile(
  configuration: Configuration,
  contents: Contents,
  split: Split,
  identity: RunFile["identity"],
  hash: string,
  provenance: RunFile["provenance"],
): RunFile {
  const { benchmark, profile, rows, settings } = configuration;
  const head = (metric: RunFile["metrics"][number]) => ({
    id: metric.id,
    convention: metric.convention,
    unit: metric.unit,
    better: metric.better,
    about: metric.about,
    ...(metric.condition === undefined ? {} : { condition: metric.condition }),
  });
  return {
    version: 1,
    benchmark: benchmark.name,
    title: benchmark.title,
    question: benchmark.question,
    profile,
    identity,
    configuration: hash,
    dataset: { name: contents.name, kind: contents.kind, hash: contents.hash },
    split: summaryOf(split),
    banners: [...contents.banners, ...splitBanner(split)],
    notes: [
      ...(rows.some(({ row }) => row.method.trains)
        ? [
          `Every trained method had the same budget: ${settings.updates} generator updates of batch ${settings.batch}.`,
        ]
        : []),
      ...contents.notes,
      ...splitNotes(contents, split),
      ...benchmark.notes,
    ],
    rows: rows.map(({ row, settings }): RowHead => ({
      name: row.name,
      about: row.about ?? row.method.about,
      source: row.method.source,
      trains: row.method.trains,
      knows: knownBy(row.method),
      settings,
    })),
    metrics: [
      ...benchmark.metrics,
      ...(benchmark.conditions?.(settings) ?? []).flatMap(metricsUnder),
      ...benchmark.followed,
    ].map(head),
    seeds: [],
    provenance,
  };
}

function summaryOf(split: Split): SplitSummary {
  return {
    kind: split.kind,
    parts: Object.fromEntries(partNames.map((part) => [part, {
      subjects: [...new Set(split.parts[part].map(({ subject }) => subject))],
      samples: split.parts[part].length,
    }])),
  };
}

function knownBy({ knows, trains, fits }: Configuration["rows"][number]["row"]["method"]): string {
  const data = trains
    ? (knows.pairs ? "matched pairs" : "images and measurements of different subjects")
    : fits
    ? "training images"
    : "no training data";
  const operator = {
    exactly: "the operator",
    form: "the operator but for its kernel",
    nothing: "not the operator",
  };
  return `${data}; ${operator[knows.operator]}`;
}

/** All rows and all seeds of an earlier run in the folder and of what is asked for now, in the table's order. */
function united(
  configuration: Configuration,
  earlier: Plan | undefined,
  folder: string,
  moduleOf: (method: string) => Module | undefined,
): Job[] {
  const order = new Map(configuration.rows.map(({ row }, index) => [row.name, index]));
  const known = [...earlier?.jobs ?? [], ...jobsOf(configuration)];
  for (const { method } of known) {
    if (!order.has(method)) {
      throw new UsageError({
        what: `the folder holds the row "${method}", which is not known here`,
        where: `--out ${folder}`,
        fix: `give its module again (${
          earlier!.use.map((path) => `--use ${path}`).join(" ")
        }), name another folder, or give --fresh to start over`,
      });
    }
  }
  // Every row gets every seed, so that a table that was added to compares like with like.
  const seeds = [...new Set(known.flatMap(({ seed }) => seed ?? []))].sort((a, b) => a - b);
  const chosen = configuration.rows.map(({ row }) => row.name).filter((name) =>
    known.some(({ method }) => method === name)
  );
  return jobsOf({ ...configuration, chosen, seeds }).map((job) => ({
    ...job,
    module: moduleOf(job.method)?.sha256,
  }));
}
