/**
 * The weights of a job, kept for use: `--keep-weights` writes them as safetensors with all that rebuilds the learner.
 *
 * Every network's weights are in the file, each under its letter (`G/…`); the words beside them say which method with which
 * settings they are of, what problem it was set up for, and what the training data were like.
 */

import { explain, UsageError } from "../core/errors.ts";
import { writeWhole } from "../core/files.ts";
import { canonicalJson, type Json, sha256 as hash } from "../core/json.ts";
import { decodeSafetensors, encodeSafetensors } from "../core/safetensors.ts";
import type { Values } from "../core/settings.ts";
import type { Contents } from "../datasets/dataset.ts";
import type { Learner, Problem, Weights } from "../methods/method.ts";
import type { Measured } from "../physics/acquisition.ts";
import type { Operator } from "../physics/operator.ts";

/** Version of the words. */
const version = "1";

/** What kept weights are of. */
export interface Origin {
  readonly benchmark: string;
  /** The row of the table. */
  readonly method: string;
  readonly seed: number | null;
  /** Hash of the run's configuration. */
  readonly configuration: string;
  /** The method's, with the value that was chosen on validation subjects. */
  readonly settings: Values;
  readonly problem: Omit<Problem, "form">;
  /** What the training data were like. */
  readonly data: Pick<Contents, "kind" | "unit" | "pixelSizeMm">;
  /** Of the first sample. */
  readonly operator: Pick<Operator, "name" | "settings">;
}

/** Writes the weights of a learner. */
export async function keepWeights(path: string, weights: Weights, origin: Origin): Promise<void> {
  const metadata = {
    format: `ot-cyclegan-bench/${version}`,
    sha256: hashOf(weights),
    ...Object.fromEntries(
      Object.entries(origin).map(([name, value]) => [name, canonicalJson(value as Json)]),
    ),
  };
  await writeWhole(path, encodeSafetensors({ arrays: weights, metadata }));
}

/**
 * Reads weights that were kept.
 *
 * @throws {UsageError} where there is no such file.
 * @throws {SyntaxError} where it is damaged, or another program's.
 */
export async function readWeights(path: string): Promise<{ weights: Weights; origin: Origin }> {
  let bytes: Uint8Array;
  try {
    bytes = await Deno.readFile(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw new UsageError({
      what: "the weights of this job were not kept",
      where: path,
      fix: "give the command of the run again, with --keep-weights",
    }, { cause });
  }
  const { arrays, metadata: { format, sha256, ...words } } = decodeSafetensors(bytes, path);
  const refuse = (what: string): never => {
    throw new SyntaxError(explain({
      what: `cannot use weights: ${what}`,
      where: path,
      fix: "give a file that --keep-weights of this version wrote",
    }));
  };
  if (format !== `ot-cyclegan-bench/${version}`) return refuse(`their format is ${JSON.stringify(format)}`);
  if (sha256 !== hashOf(arrays)) return refuse("their values are not those that were written");
  const origin = Object.fromEntries(Object.entries(words).map(([name, json]) => [name, JSON.parse(json)]));
  return { weights: arrays, origin: origin as unknown as Origin };
}

/**
 * Puts kept weights into a learner that was prepared for their problem with their settings.
 *
 * @throws {TypeError} where the learner cannot take them.
 */
export async function loadInto(learner: Learner, weights: Weights, method: string): Promise<void> {
  const own = await learner.weights();
  if (own.length === 0 && weights.length === 0) return;
  if (learner.load === undefined) {
    throw new TypeError(explain({
      what: `the method "${method}" gives weights, and takes none back`,
      fix: "give its learner a `load`",
    }));
  }
  learner.load(weights);
}

/** SHA-256 over names, shapes and little-endian float32 values. */
export function hashOf(weights: Weights): string {
  return hash(
    ...weights.flatMap(({ name, shape, data }) => [
      `${name}[${shape.join(",")}]`,
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    ]),
  );
}

/** What there is to say of a dataset. */
export function dataOf({ kind, unit, pixelSizeMm }: Contents): Origin["data"] {
  return { kind, unit, ...(pixelSizeMm === undefined ? {} : { pixelSizeMm }) };
}

/** What there is to say of a measurement's surroundings. */
export function operatorOf({ operator: { name, settings } }: Measured): Origin["operator"] {
  return { name, settings };
}
