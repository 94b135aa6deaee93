/** What datasets that are made and not read have in common: who is in them, and one sample at a time. */

import { canonicalJson, type Json, sha256 } from "../core/json.ts";
import type { Contents, Dataset, Sample, Subject } from "./dataset.ts";

/** How many, how large, and which. */
export interface SimulationSettings {
  readonly subjects: number;
  /** How many of them, the last ones, are for validation and for test; the others train. Absent: no part is given. */
  readonly parts?: { readonly validation: number; readonly test: number };
  /** Slices of each subject. */
  readonly slices: number;
  /** Height and width of a slice. */
  readonly matrix: number;
  /** Name of the stream that all of them are drawn from. */
  readonly stream: string;
}

/** What one kind of them says of itself. */
export interface Simulation extends Pick<Contents, "kind" | "unit" | "holds" | "banners" | "notes"> {
  /** What its subjects are called, before their number. */
  readonly each: string;
  /** Values of a pixel. */
  readonly channels: number;
  /** Of a sample, where it is not `[matrix, matrix, channels]`. */
  readonly shape?: readonly number[];
  /** Raised when the same settings give other values, so that runs of old and new data are not mixed. */
  readonly version: number;
  /** Makes one sample from the stream `name`, which is the subject's own; `slice` counts from 0. */
  make(name: string, slice: number): Omit<Sample, "id" | "subject">;
}

/**
 * The dataset of a simulation. A subject's samples depend on the stream and its number alone, and each can be made
 * without the others.
 *
 * @throws {RangeError} where a size or a count is not a whole number of at least 1.
 */
export function simulatedDataset(settings: SimulationSettings, simulation: Simulation): Dataset {
  const { subjects: count, slices, matrix } = settings;
  const { each, channels, shape = [matrix, matrix, channels], version, make, ...about } = simulation;
  for (const [name, value] of Object.entries({ subjects: count, slices, matrix })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new RangeError(`${about.kind} need whole ${name} ≥ 1, not ${value}`);
    }
  }
  const digits = Math.max(3, String(count).length);
  const samples = Array.from({ length: slices }, (_, slice) => String(slice).padStart(2, "0"));
  const subjects = Array.from({ length: count }, (_, i): Subject => ({
    id: `${each}-${String(i + 1).padStart(digits, "0")}`,
    samples,
    shape,
    ...(settings.parts && { role: roleOf(count - i, settings.parts) }),
  }));
  const ids = new Set(subjects.map(({ id }) => id));
  const decisive = { ...settings, kind: about.kind, version } as unknown as Json;
  return {
    contents: { ...about, name: about.kind, subjects, hash: sha256(canonicalJson(decisive)) },
    sample(subject, id): Promise<Sample> {
      const slice = samples.indexOf(id);
      if (!ids.has(subject) || slice < 0) {
        return Promise.reject(new RangeError(`there is no sample "${id}" of subject "${subject}"`));
      }
      return Promise.resolve({ id, subject, ...make(`${settings.stream}/${subject}`, slice) });
    },
    close() {},
  };
}

/** The part of the subject that is the `fromEnd`-th, the last being the first. */
function roleOf(
  fromEnd: number,
  { validation, test }: { validation: number; test: number },
): Subject["role"] {
  return fromEnd <= test ? "test" : fromEnd <= test + validation ? "validation" : "train";
}
