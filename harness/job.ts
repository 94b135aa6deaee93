/**
 * One job: prepare a method with a seed, train it, score it, and leave a record.
 *
 * Nothing here depends on the clock but the costs, and nothing on which process does it: the same job of the same
 * plan leaves the same record wherever it runs.
 */

import * as tf from "@tensorflow/tfjs-core";
import process from "node:process";
import { Bench } from "tinybench";
import type { Benchmark, Kept } from "../benchmarks/benchmark.ts";
import type { Image } from "../core/image.ts";
import { stream } from "../core/random.ts";
import type { Values } from "../core/settings.ts";
import { replayCounts } from "../engine/replay.ts";
import type { Knows, Learner, Method, Problem } from "../methods/method.ts";
import type { MetricHead } from "../metrics/metric.ts";
import {
  encodeValue,
  type LogEntry,
  type Picture,
  recordVersion,
  type ResultRecord,
  type ScoreRow,
  type State,
} from "../results/record.ts";
import { scoreOfSeed } from "../results/summary.ts";
import type { Checkpoint, Checkpoints } from "./checkpoint.ts";
import type { ConfiguredRow } from "./configuration.ts";
import { examine, metricsUnder, type Shown } from "./evaluate.ts";
import { keptBase, weightsPath } from "./folder.ts";
import { keepPicture, Panels, spread } from "./panels.ts";
import type { Job, Plan } from "./plan.ts";
import {
  batches,
  type Dealer,
  type Encounter,
  givenOf,
  imageOf,
  meetingOf,
  rangeOf,
  type Shelf,
  tensorOf,
} from "./samples.ts";
import type { SampleRef } from "./split.ts";
import { dataOf, hashOf, keepWeights, operatorOf } from "./weights.ts";

/** What a job needs besides its plan. */
export interface Workplace {
  readonly folder: string;
  readonly plan: Plan;
  readonly profile: string;
  readonly settings: Values;
  readonly row: ConfiguredRow;
  readonly shelf: Shelf;
  readonly provenance: ResultRecord["provenance"];
  /** Where the training is kept, to go on from; without, it starts over. */
  readonly checkpoints?: Checkpoints;
  /** Seconds between two of them; 0 keeps every update. */
  readonly checkpointSeconds?: number;
  /** Hears of checkpoints that cannot be used. */
  readonly told?: (reason: string) => void;
  /** Aborted when the machine will soon be taken away: the training is kept at once, and {@linkcode Stopped} thrown. */
  readonly stopping?: AbortSignal;
}

/** A job that was told to stop, and has kept its training. */
export class Stopped extends Error {
  /** Tells it apart in a stack trace. */
  override readonly name = "Stopped";
}

/** What the process of a {@linkcode Stopped} job ends with: EX_TEMPFAIL of sysexits.h. */
export const stoppedCode = 75;

/** What a job does, one after the other. */
export const phases = ["preparing", "training", "scoring"] as const;

/** How far a job is: shown to people, never recorded. */
export interface Progress {
  readonly phase: typeof phases[number];
  /** In [0, 1]. */
  readonly done: number;
}

/**
 * What a worker tells its launcher, a JSON line each: how far it is, what a user's module printed, or what whoever
 * watches the run should know of the job, which no record holds.
 */
export type Message = Progress | { readonly said: string } | { readonly told: string };

// Seconds between two checkpoints unless said: what a job that is killed loses at the most.
const checkpointSeconds = 10;

// Seconds between two moments at which a job that trains hears that it is to stop.
const listenSeconds = 1;

// Validation samples that the checks during training look at, and test samples that time the inference.
const checkSamples = 8;

/** Does one job and returns its record. */
export async function runJob(
  place: Workplace,
  job: Job,
  tell: (progress: Progress) => void,
): Promise<ResultRecord> {
  const { plan, row: { row }, shelf, settings } = place;
  const { benchmark } = shelf;
  const before = replayCounts();
  tell({ phase: "preparing", done: 0 });
  const seeded = stream(`${benchmark.name}/seed-${job.seed ?? 0}`);
  const problem = await problemOf(place);
  const chosen = await tune(place, problem, tell);
  using learner = row.method.prepare(problem, chosen.settings, seeded.stream("networks"));

  const { x, y, validation, test } = plan.split.parts;
  const { knows } = row.method;
  const earlier = learner.restore && await place.checkpoints?.read(place.told ?? (() => {}));
  if (earlier === undefined) {
    // A sign of life for each: a thousand large slices take long to measure.
    const shown = (refs: readonly SampleRef[], of: typeof imageOf) =>
      shownImages(shelf, refs, knows, of, (done) => tell({ phase: "preparing", done }));
    await learner.fit?.(shown(x, imageOf), shown(y, givenOf));
  } else learner.restore!(earlier.learner);
  const course = await train(place, learner, {
    dealer: learner.update && batches({
      shelf,
      knows: row.method.knows,
      x,
      y,
      batch: problem.batch,
      mirror: settings.mirror as boolean,
      patch: settings.patch as number,
      rng: seeded.stream("samples"),
    }),
    validation,
    earlier,
  }, tell);

  tell({ phase: "scoring", done: 0 });
  const panels = new Panels(place, job, test);
  let scored = 0;
  const conditions = benchmark.conditions?.(settings) ?? [];
  const total = test.length * (1 + conditions.length);
  const examination = { shelf, settings, learner, knows: row.method.knows };
  const kept = new KeptSubjects(place, job);
  const result = course.state.kind !== "done" ? { scores: [], broken: false } : await examine(
    examination,
    test,
    benchmark.metrics,
    async (shown) => {
      await panels.take(shown);
      if (plan.keepImages) await kept.take(shown);
    },
    () => tell({ phase: "scoring", done: ++scored / total }),
  );
  if (!result.broken && course.state.kind === "done") {
    await panels.finish();
    if (plan.keepImages) await kept.write();
  }
  const further: ScoreRow[] = [];
  for (const condition of result.broken || course.state.kind !== "done" ? [] : conditions) {
    const { scores } = await examine(
      { ...examination, shelf: shelf.under({ ...settings, ...condition.settings }) },
      test,
      metricsUnder(condition),
      undefined,
      () => tell({ phase: "scoring", done: ++scored / total }),
    );
    further.push(...scores);
  }
  const weights = await learner.weights();
  if (plan.keepWeights && !result.broken && course.state.kind === "done") {
    const first = await shelf.get(test[0]);
    const { form: _form, ...rest } = problem;
    await keepWeights(`${place.folder}/${weightsPath(job)}`, weights, {
      benchmark: benchmark.name,
      method: job.method,
      seed: job.seed,
      configuration: plan.configuration,
      settings: chosen.settings,
      problem: rest,
      data: dataOf(plan.data.contents),
      operator: operatorOf(first.measured),
    });
  }
  const state: State = result.broken
    ? {
      kind: "diverged",
      update: learner.update === undefined ? 0 : problem.updates,
      reason: "a reconstruction holds a value that is not finite",
    }
    : course.state;
  return {
    version: recordVersion,
    benchmark: benchmark.name,
    profile: place.profile,
    configuration: plan.configuration,
    method: job.method,
    seed: job.seed,
    state,
    settings: chosen.settings,
    parameters: learner.parameters,
    macs: learner.macs((await shelf.get(test[0])).seen.shape) ?? null,
    weights: weights.length === 0 ? null : hashOf(weights),
    scores: [...result.scores, ...further, ...lastFollowed(benchmark, course.log)],
    log: course.log,
    pictures: state.kind === "done"
      ? [...panels.pictures, ...await learnedPictures(place, job, learner, await shelf.get(test[0]))]
      : [],
    ...(state.kind === "done" && panels.curves.length > 0 ? { curves: panels.curves } : {}),
    notes: chosen.notes,
    provenance: place.provenance,
    cost: {
      ...course.cost,
      ...(state.kind === "done" ? { "inference-ms": await inferenceMs(place, learner, row.method) } : {}),
      "peak-memory": process.resourceUsage().maxRSS / 1024,
      "steps-recorded": replayCounts().recorded - before.recorded,
      "steps-replayed": replayCounts().replayed - before.replayed,
    },
  };
}

/** The record of a job that could not be done. */
export function failedRecord(
  place: Pick<Workplace, "plan" | "profile">,
  job: Job,
  reason: string,
): ResultRecord {
  return {
    version: recordVersion,
    benchmark: place.plan.request.benchmark,
    profile: place.profile,
    configuration: place.plan.configuration,
    method: job.method,
    seed: job.seed,
    state: { kind: "failed", reason },
    settings: {},
    parameters: 0,
    macs: null,
    weights: null,
    scores: [],
    log: [],
    pictures: [],
    notes: [],
    provenance: {},
    cost: {},
  };
}

async function problemOf(
  { shelf, plan, settings, row: { row: { method: { knows } } } }: Workplace,
): Promise<Problem> {
  const { x, y, validation, test } = plan.split.parts;
  const encounter = await shelf.get([...y, ...x, ...validation, ...test][0]);
  const { measured: { operator, form }, seen } = encounter;
  const range = rangeOf(encounter, knows);
  return {
    imageShape: operator.imageShape,
    measurementShape: operator.measurementShape,
    seenShape: seen.shape,
    ...(range === undefined ? {} : { range }),
    ...(form === undefined || knows.operator === "nothing" ? {} : { form }),
    updates: settings.updates as number,
    batch: settings.batch as number,
  };
}

/** Chooses the setting that a method leaves to validation data, by the benchmark's leading metric. */
async function tune(
  { row: { row, settings, given }, shelf, settings: benchmarkSettings, plan }: Workplace,
  problem: Problem,
  tell: (progress: Progress) => void,
): Promise<{ settings: Values; notes: string[] }> {
  const { method } = row;
  if (method.tune === undefined) return { settings, notes: [] };
  const { setting, values } = { ...method.tune, ...(row.tune === undefined ? {} : { values: row.tune }) };
  if (given.includes(setting)) {
    return {
      settings,
      notes: [`${setting} = ${settings[setting]} was given, and not chosen on validation subjects`],
    };
  }
  const refs = plan.split.parts.validation;
  if (refs.length === 0) {
    return {
      settings,
      notes: [
        `${setting} = ${settings[setting]} is the default: there is no validation part to choose it on`,
      ],
    };
  }
  const [lead] = shelf.benchmark.metrics;
  let best: { value: number; score: number } | undefined;
  for (const [index, value] of values.entries()) {
    using learner = method.prepare(problem, { ...settings, [setting]: value }, stream("tuning"));
    const examination = { shelf, settings: benchmarkSettings, learner, knows: method.knows };
    const { scores } = await examine(examination, refs, [lead]);
    const score = scoreOfSeed(scores);
    const better = score !== null &&
      (best === undefined || (lead.better === "lower" ? score < best.score : score > best.score));
    if (better) best = { value, score };
    tell({ phase: "preparing", done: (index + 1) / values.length });
  }
  if (best === undefined) {
    return { settings, notes: [`${setting} could not be chosen: validation has no truth`] };
  }
  return {
    settings: { ...settings, [setting]: best.value },
    notes: [`${setting} = ${best.value} was chosen on validation subjects by ${lead.id}`],
  };
}

interface Course {
  readonly state: State;
  readonly log: readonly LogEntry[];
  readonly cost: Pick<ResultRecord["cost"], "train-seconds" | "updates-per-second">;
}

/** Trains for the whole budget, or until a loss is not finite. */
async function train(
  place: Workplace,
  learner: Learner,
  from: { dealer?: Dealer; validation: readonly SampleRef[]; earlier?: Checkpoint },
  tell: (progress: Progress) => void,
): Promise<Course> {
  const { dealer, earlier } = from;
  if (learner.update === undefined || dealer === undefined) {
    return { state: { kind: "done" }, log: [], cost: {} };
  }
  const updates = place.settings.updates as number;
  const checks = Math.min(updates, place.settings.checks as number);
  if (earlier !== undefined) dealer.restore(earlier.dealer);
  const log: LogEntry[] = [...earlier?.log ?? []];
  const sums: Record<string, number> = { ...earlier?.sums };
  let since = earlier?.since ?? 0;
  let seconds = earlier?.seconds ?? 0;
  const due = pacer(place.checkpointSeconds ?? checkpointSeconds);
  const listening = pacer(listenSeconds);
  for (let update = (earlier?.update ?? 0) + 1; update <= updates; update++) {
    const start = performance.now();
    const losses = await learner.update(dealer.draw, (update - 1) / updates);
    seconds += (performance.now() - start) / 1000;
    const wrong = Object.entries(losses).find(([, value]) => !Number.isFinite(value));
    if (wrong !== undefined) {
      return {
        state: { kind: "diverged", update, reason: `the loss "${wrong[0]}" is ${wrong[1]}` },
        log,
        cost: { "train-seconds": seconds, "updates-per-second": update / seconds },
      };
    }
    since += 1;
    for (const [name, value] of Object.entries(losses)) sums[name] = (sums[name] ?? 0) + value;
    if (Math.floor(update * checks / updates) > Math.floor((update - 1) * checks / updates)) {
      const means = Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, sum / since]));
      log.push({ update, values: { ...means, ...await check(place, learner, from.validation) } });
      for (const name of Object.keys(sums)) delete sums[name];
      since = 0;
    }
    tell({ phase: "training", done: update / updates });
    if (learner.state === undefined || place.checkpoints === undefined) continue;
    const { checkpoints, stopping } = place;
    const keep = async () =>
      await checkpoints.write({
        update,
        log,
        sums,
        since,
        seconds,
        dealer: dealer.state(),
        learner: await learner.state!(),
      });
    // Updates leave the event loop no turn of its own, in which it hears of signals.
    if (stopping !== undefined) await listening(() => new Promise((resolve) => setTimeout(resolve)));
    if (stopping?.aborted) {
      await keep();
      throw new Stopped(`stopped after update ${update} of ${updates}`);
    }
    await due(keep);
  }
  return {
    state: { kind: "done" },
    log,
    cost: { "train-seconds": seconds, "updates-per-second": updates / seconds },
  };
}

/** Does something at most every so many seconds, and so seldom that it takes no more than a fiftieth of the time. */
function pacer(seconds: number): (work: () => Promise<void>) => Promise<void> {
  let next = performance.now() + 1000 * seconds;
  return async (work) => {
    const start = performance.now();
    if (start < next) return;
    await work();
    const end = performance.now();
    next = end + (seconds === 0 ? 0 : Math.max(1000 * seconds, 50 * (end - start)));
  };
}

/** Looks at validation data: the leading metric, and what the learner follows. */
async function check(
  { shelf, settings, row: { row } }: Workplace,
  learner: Learner,
  validation: readonly SampleRef[],
): Promise<Record<string, number>> {
  const refs = spread(validation, checkSamples);
  if (refs.length === 0) return {};
  const values: Record<string, number> = {};
  const { knows } = row.method;
  const { benchmark } = shelf;
  const { scores } = await examine({ shelf, settings, learner, knows }, refs, benchmark.metrics.slice(0, 1));
  const lead = scoreOfSeed(scores);
  if (lead !== null && Number.isFinite(lead)) values[`validation-${benchmark.metrics[0].id}`] = lead;

  if (learner.monitor !== undefined) {
    const seen: Record<string, number[]> = {};
    for (const [index, ref] of refs.entries()) {
      // Images and measurements of different samples, as in training: the quantities are of the two distributions.
      const other = await shelf.get(refs[(index + Math.ceil(refs.length / 2)) % refs.length]);
      if (other.measured.image === undefined) continue;
      const encounter = await shelf.get(ref);
      if (encounter.measured.operator.imageShape.join() !== other.measured.image.shape.join()) continue;
      const batch = {
        ...meetingOf(benchmark, encounter.measured, knows),
        x: tensorOf([imageOf(other, knows)]),
        y: tensorOf([givenOf(encounter, knows)]),
      };
      for (const [name, value] of Object.entries(await learner.monitor(batch))) {
        (seen[name] ??= []).push(value);
      }
      tf.dispose([batch.x, batch.y]);
    }
    for (const [name, list] of Object.entries(seen)) {
      const over = benchmark.followed.find(({ id }) => id === name)?.over ?? "mean";
      values[name] = over === "max" ? Math.max(...list) : list.reduce((a, b) => a + b, 0) / list.length;
    }
  }
  return values;
}

/** The followed quantities at the end of training, as scores of the whole run. */
function lastFollowed(benchmark: Benchmark, log: readonly LogEntry[]): ScoreRow[] {
  const last = log.at(-1)?.values ?? {};
  return benchmark.followed.filter(({ id }) => last[id] !== undefined).map((head: MetricHead) => ({
    metric: head.id,
    convention: head.convention,
    subject: "",
    sample: "",
    value: encodeValue(last[head.id]),
  }));
}

/** Training data one by one, as a method with this knowledge is shown them. */
async function* shownImages(
  shelf: Shelf,
  refs: readonly SampleRef[],
  knows: Knows,
  of: typeof imageOf,
  tell: (done: number) => void,
): AsyncGenerator<Image> {
  for (const [index, ref] of refs.entries()) {
    yield of(await shelf.get(ref), knows);
    tell((index + 1) / refs.length);
  }
}

/** What takes so long, e.g. a large volume, is timed once: it is warm, as all test samples were reconstructed before. */
const longMs = 1000;

/** Milliseconds a reconstruction of one sample, by tinybench, after its warm-up. */
async function inferenceMs({ shelf, plan }: Workplace, learner: Learner, method: Method): Promise<number> {
  const encounter = await shelf.get(plan.split.parts.test[0]);
  const meeting = meetingOf(shelf.benchmark, encounter.measured, method.knows);
  const y = tensorOf([givenOf(encounter, method.knows)]);
  const reconstruct = async () => {
    await learner.locate?.(y, meeting);
    const x = tf.tidy(() => learner.reconstruct(y, meeting));
    await x.data();
    x.dispose();
  };
  const start = performance.now();
  await reconstruct();
  const once = performance.now() - start;
  const bench = new Bench({ time: 150, iterations: 5, warmupTime: 100, warmupIterations: 5, throws: true });
  bench.add("reconstruct", reconstruct);
  if (once < longMs) await bench.run();
  y.dispose();
  if (once >= longMs) return once;
  const [{ result }] = bench.tasks;
  if (result.state !== "completed") throw new Error(`inference could not be timed: ${result.state}`);
  return result.latency.p50 ?? result.latency.mean;
}

/** Pictures of what was learned besides the reconstruction; beside a kernel that of the test samples, if it is known. */
async function learnedPictures(
  { folder }: Workplace,
  job: Job,
  learner: Learner,
  { measured: { kernel: truth } }: Encounter,
): Promise<Picture[]> {
  const pictures: Picture[] = [];
  const learned = await learner.learned?.() ?? {};
  const shown = learned.kernel && truth ? { ...learned, "kernel-truth": truth } : learned;
  for (const [sample, image] of Object.entries(shown)) {
    const path = `images/learned/${job.record.replace(/\.json$/, "")}.${encodeURIComponent(sample)}.f32`;
    pictures.push(await keepPicture(folder, { name: "learned", subject: "", sample }, path, image));
  }
  return pictures;
}

/** Reconstructions for `--keep-images`, written subject by subject. */
class KeptSubjects {
  #subject: string | undefined;
  #slices: Kept[] = [];

  constructor(readonly place: Workplace, readonly job: Job) {}

  async take({ subject, kept }: Shown): Promise<void> {
    if (this.#subject !== subject) await this.write();
    this.#subject = subject;
    this.#slices.push(kept);
  }

  async write(): Promise<void> {
    if (this.#subject === undefined) return;
    const { place: { folder, shelf }, job } = this;
    await shelf.benchmark.keep(
      `${folder}/${keptBase(job, this.#subject)}`,
      this.#slices,
      shelf.dataset.contents.pixelSizeMm,
    );
    this.#slices = [];
    this.#subject = undefined;
  }
}
