/** Datasets put together from others: several as one, and parts of one under names and roles of their own. */

import { explain } from "../core/errors.ts";
import { canonicalJson, type Json, sha256 } from "../core/json.ts";
import type { Contents, Dataset, Subject } from "./dataset.ts";

/**
 * The subjects of all of them, in their order. What is said of the whole is what `about` says, else what the last of them
 * does; notes and banners are everybody's.
 *
 * @throws {RangeError} where two have subjects of one name.
 */
export function joined(datasets: readonly Dataset[], about: Partial<Contents> = {}): Dataset {
  const owner = new Map<string, Dataset>();
  for (const dataset of datasets) {
    for (const { id } of dataset.contents.subjects) {
      if (owner.has(id)) {
        throw new RangeError(explain({
          what: `two of the datasets have a subject "${id}"`,
          where: "joined()",
          fix: "rename the file, or leave one of them out",
        }));
      }
      owner.set(id, dataset);
    }
  }
  const all = datasets.map(({ contents }) => contents);
  const each = (texts: (contents: Contents) => readonly string[]) => [...new Set(all.flatMap(texts))];
  return {
    contents: {
      ...all.at(-1)!,
      subjects: all.flatMap(({ subjects }) => subjects),
      banners: each(({ banners }) => banners),
      notes: each(({ notes }) => notes),
      hash: sha256(canonicalJson(all.map(({ hash }) => hash))),
      ...about,
    },
    sample(subject, id) {
      const dataset = owner.get(subject);
      return dataset === undefined
        ? Promise.reject(new RangeError(`there is no sample "${id}" of subject "${subject}"`))
        : dataset.sample(subject, id);
    },
    close() {
      for (const dataset of datasets) dataset.close();
    },
  };
}

/** Some samples of a subject, as a subject of their own. */
export interface Portion {
  /** The subject that they are of. */
  readonly of: string;
  /** Their own name; the subject's unless said. */
  readonly id?: string;
  /** Which of its samples, from the first to before the last; all unless said. */
  readonly range?: readonly [from: number, to: number];
  readonly role?: Subject["role"];
}

/**
 * The portions of a dataset, in the order given.
 *
 * @throws {RangeError} for a portion of a subject that is not there, or without samples.
 */
export function portionsOf(dataset: Dataset, portions: readonly Portion[]): Dataset {
  const { contents } = dataset;
  const sources = new Map<string, string>();
  const subjects = portions.map(({ of, id = of, range, role }): Subject => {
    const subject = contents.subjects.find((one) => one.id === of);
    const samples = subject?.samples.slice(...range ?? []) ?? [];
    if (subject === undefined || samples.length === 0) {
      throw new RangeError(`there are no samples ${range ?? ""} of a subject "${of}"`);
    }
    sources.set(id, of);
    return {
      ...subject,
      id,
      samples,
      role: role ?? subject.role,
      // A slab is no copy of another slab of the same volume.
      ...(range && { volumes: subject.volumes?.map((hash) => sha256(canonicalJson([hash, ...samples]))) }),
    };
  });
  return {
    contents: {
      ...contents,
      subjects,
      hash: sha256(canonicalJson([contents.hash, portions as unknown as Json])),
    },
    async sample(subject, id) {
      const known = subjects.find((one) => one.id === subject)?.samples.includes(id);
      if (!known) throw new RangeError(`there is no sample "${id}" of subject "${subject}"`);
      return { ...await dataset.sample(sources.get(subject)!, id), subject };
    },
    close: () => dataset.close(),
  };
}
