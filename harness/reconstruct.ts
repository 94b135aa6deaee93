/** What a job trained, applied to data of the user's own. */

import type { Benchmark, Kept } from "../benchmarks/benchmark.ts";
import { UsageError } from "../core/errors.ts";
import { differences, type Json } from "../core/json.ts";
import { stream } from "../core/random.ts";
import type { Contents, Dataset } from "../datasets/dataset.ts";
import type { Weights } from "../methods/method.ts";
import { configure, named } from "./configuration.ts";
import { openDataset, type Suite } from "./context.ts";
import { examine } from "./evaluate.ts";
import type { Plan } from "./plan.ts";
import { type Encounter, Shelf } from "./samples.ts";
import { loadInto, operatorOf, type Origin } from "./weights.ts";

/** What is applied to what. */
export interface Application {
  readonly plan: Plan;
  readonly weights: Weights;
  readonly origin: Origin;
  /** Files and folders. */
  readonly data: readonly string[];
  /** Whether images in the files are measurements, e.g. low-dose CT, from which nothing is to be simulated. */
  readonly isMeasured: boolean;
  /** The array axis to slice volumes along, where the header does not say it. */
  readonly sliceAxis?: number;
  /** Settings of the benchmark that are other than the run's, as `--set` takes them. */
  readonly set: readonly string[];
}

/** Who is told how it goes. */
export interface Listener {
  /** The data are open; `warnings` say how they are unlike those of the training. */
  opened(contents: Contents, warnings: readonly string[]): void;
  /** So many of all samples are done. */
  progressed(done: number, of: number): void;
}

/** One subject's reconstructions, as `--keep-images` would keep them. */
export interface Applied {
  readonly subject: string;
  readonly slices: readonly Kept[];
  readonly pixelSizeMm?: readonly number[];
}

/** The benchmark of an application. */
export function benchmarkOf(suite: Suite, { origin }: Pick<Application, "origin">): Benchmark {
  return named(suite.benchmarks, origin.benchmark, "benchmark");
}

/**
 * Reconstructs every sample of the data, subject by subject, a few at a time.
 *
 * @throws {UsageError} where the settings are not the benchmark's, or a reconstruction is not finite.
 */
export async function* applied(
  suite: Suite,
  application: Application,
  listener: Listener,
): AsyncGenerator<Applied> {
  const { plan, weights, origin, data } = application;
  const benchmark = benchmarkOf(suite, application);
  assertOwn(application.set, benchmark);
  const { settings, rows } = configure(suite.benchmarks, {
    ...plan.request,
    set: [...plan.request.set, ...application.set],
  });
  const { method } = named(rows.map(({ row }) => row), origin.method, "method");
  const { options, stream: dataStream } = plan.data;
  const { sliceAxis = options.sliceAxis } = application;
  const opening = { ...options, sliceAxis, matrix: benchmark.matrix(settings) };
  // What a stack lacks to be learned from, e.g. parts, tiles and simulated images, it does not lack here.
  const files = await openDataset(suite, { ...benchmark, complete: undefined }, settings, data, opening);
  if (benchmark.complete !== undefined && files.contents.holds === "images" && !application.isMeasured) {
    files.close();
    throw new UsageError({
      what:
        `${files.contents.name} holds images, and ${benchmark.name} reconstructs stacks that were measured`,
      where: data.join(", "),
      fix: "give a measured stack, or say with --measured that this is one",
    });
  }
  const dataset = application.isMeasured ? asMeasured(files) : files;
  try {
    const { contents } = dataset;
    const refs = contents.subjects.flatMap(({ id, samples }) =>
      samples.map((sample) => ({ subject: id, sample }))
    );
    const shelf = Shelf.of(dataset, benchmark, settings, dataStream);
    const first = await shelf.get(refs[0]);
    listener.opened(contents, unlike(origin, contents, first, opening.matrix));
    const { form } = first.measured;
    const problem = {
      ...origin.problem,
      ...(form === undefined || method.knows.operator === "nothing" ? {} : { form }),
    };
    using learner = method.prepare(problem, origin.settings, stream(`${benchmark.name}/reconstruct`));
    await loadInto(learner, weights, origin.method);
    const examination = { shelf, settings, learner, knows: method.knows };
    let done = 0;
    for (const { id: subject } of contents.subjects) {
      const slices: Kept[] = [];
      const { broken } = await examine(
        examination,
        refs.filter((ref) => ref.subject === subject),
        [],
        ({ kept }) => Promise.resolve(void slices.push(kept)),
        () => listener.progressed(++done, refs.length),
      );
      if (broken) {
        throw new UsageError({
          what: `${origin.method} makes a value that is not finite`,
          where: `subject "${subject}"`,
          fix: "leave this subject out; what its values are is shown by deno task data",
        });
      }
      yield { subject, slices, pixelSizeMm: contents.pixelSizeMm };
    }
  } finally {
    dataset.close();
  }
}

/** The dataset with every image taken for the measurement that it is. */
function asMeasured(files: Dataset): Dataset {
  return {
    contents: { ...files.contents, holds: "measurements" },
    async sample(subject, id) {
      const { image, measurement, ...rest } = await files.sample(subject, id);
      return { ...rest, measurement: measurement ?? image };
    },
    close: () => files.close(),
  };
}

/** Refuses settings of methods: theirs are the weights'. */
function assertOwn(set: readonly string[], { name, settings }: Benchmark): void {
  const strange = set.find((text) => !Object.hasOwn(settings, text.split("=")[0].trim()));
  if (strange === undefined) return;
  throw new UsageError({
    what: `"${strange.split("=")[0]}" is no setting of the benchmark ${name}`,
    where: `--set ${strange}`,
    fix: "set what the benchmark measures by; a method keeps the settings that it was trained with",
  });
}

// Pixels that are no more than this part larger or smaller are of one size.
const samePixels = 0.05;

/** How data are unlike those that the weights were trained on, a sentence each. */
function unlike(
  { problem, data, operator, method }: Origin,
  { unit, pixelSizeMm, kind, holds }: Contents,
  { measured }: Encounter,
  matrix: number | undefined,
): string[] {
  const size = (shape: readonly number[]) => shape.slice(0, -1).join(" x ");
  const found: string[] = [];
  const { imageShape } = measured.operator;
  if (size(imageShape) !== size(problem.imageShape)) {
    found.push(`images are ${size(imageShape)} here, and were ${size(problem.imageShape)} in training`);
  } else if (matrix !== undefined) {
    found.push(
      `images are brought to ${size(imageShape)}, as in training; --set matrix=0 leaves them as they are`,
    );
  }
  if (imageShape.at(-1) !== problem.imageShape.at(-1)) {
    found.push(`images have ${imageShape.at(-1)} channels here, and had ${problem.imageShape.at(-1)}`);
  }
  if (unit !== data.unit) found.push(`values are in ${unit} here, and were in ${data.unit}`);
  const ratios = pixelSizeMm?.map((mm, axis) => mm / (data.pixelSizeMm?.[axis] ?? mm)) ?? [];
  if (ratios.some((ratio) => Math.abs(ratio - 1) > samePixels)) {
    const mm = (sizes: readonly number[]) => sizes.map((one) => one.toPrecision(3)).join(" x ");
    found.push(`pixels are ${mm(pixelSizeMm!)} mm here, and were ${mm(data.pixelSizeMm!)} mm`);
  }
  if (kind !== data.kind) found.push(`the files are ${kind}, and ${method} was trained on ${data.kind}`);
  if (holds === "images") {
    found.push(
      "the files hold images and no measurements: these are simulated, as in the benchmark; --measured takes them for measurements",
    );
  }
  found.push(...otherOperator(operator, operatorOf(measured)));
  return found;
}

/** How operators differ: in kind, in numbers and words, and in how long lists are. What depends on the size is told already. */
function otherOperator(then: Origin["operator"], now: Origin["operator"]): string[] {
  if (then.name !== now.name) return [`the operator is ${now.name} here, and was ${then.name}`];
  const sizes = ["height", "width", "size", "shape", "imageShape", "measurementShape"];
  const plain = ({ settings }: Origin["operator"]): Json =>
    Object.fromEntries(
      Object.entries(settings).filter(([name]) => !sizes.includes(name)).map(([name, value]) =>
        Array.isArray(value) ? [`number of ${name}`, value.length] : [name, value]
      ),
    );
  return differences(plain(then), plain(now)).map((one) =>
    `the operator has ${one.replace(" there,", " in training,")}`
  );
}
