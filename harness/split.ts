/**
 * Who plays which part: images (x), measurements (y), validation, test.
 *
 * The parts share no subject, and {@linkcode assertNoLeak} checks it for every run. `slabs` and `shuffled` are for
 * who must: the first where there are too few subjects, the second as the public reference code does.
 */

import { suggest, UsageError } from "../core/errors.ts";
import type { Rng } from "../core/random.ts";
import type { Contents, Subject } from "../datasets/dataset.ts";

/** The parts of a split. Images of `x` and measurements of `y` are never of the same subject. */
export const partNames = ["x", "y", "validation", "test"] as const;

/** A part of a split. */
export type Part = typeof partNames[number];

/** The ways to split that have a name; anything else that is given is a file. */
export const splitKinds: readonly string[] = ["subjects", "slabs", "shuffled"];

/** One sample of one subject. */
export interface SampleRef {
  readonly subject: string;
  readonly sample: string;
}

/** Which samples play which part. */
export interface Split {
  readonly kind: "subjects" | "slabs" | "shuffled" | "file";
  readonly parts: Readonly<Record<Part, readonly SampleRef[]>>;
}

/** A split by file: subject ids by part. */
export type SplitFile = Readonly<Record<Part, readonly string[]>>;

// Of fourteen subjects: 4 x, 4 y, 2 validation, 4 test; in proportion for other numbers.
const shares: Readonly<Record<Part, number>> = { x: 4 / 14, y: 4 / 14, validation: 2 / 14, test: 4 / 14 };

/** The same with the first `most` samples of each subject in each part. */
export function firstOf({ kind, parts }: Split, most: number): Split {
  const first = (refs: readonly SampleRef[]) =>
    [...Map.groupBy(refs, ({ subject }) => subject).values()].flatMap((own) => own.slice(0, most));
  return {
    kind,
    parts: {
      x: first(parts.x),
      y: first(parts.y),
      validation: first(parts.validation),
      test: first(parts.test),
    },
  };
}

/** Splits a dataset's subjects, by their official roles where the data have them. */
export function splitBySubject(contents: Contents, rng: Rng): Split {
  const { subjects } = contents;
  if (subjects.some(({ role }) => role !== undefined)) return splitByRole(subjects, rng);
  if (subjects.length < 4) throw tooFew(contents, "a split by subject needs at least four");
  return { kind: "subjects", parts: samplesOf(deal(subjects, shares, rng)) };
}

// Images and measurements alternate where there is room, so that one domain is not the shoulders and the other the belly.
const slabs: readonly Part[] = ["x", "y", "validation", "test"];
const slabsWithoutX: readonly Part[] = ["y", "validation", "test"];
const alternatingSlabs: readonly Part[] = ["x", "y", "x", "y", "validation", "test"];
const roomToAlternate = 24;

/**
 * Splits each subject's samples into contiguous slabs with a gap of at least one sample between them: x, y, validation,
 * test; with 24 samples and more x and y have two each, in turn. Where subjects are there for x alone, as their role says,
 * x is theirs, and the others' slabs are y, validation, test.
 */
export function splitIntoSlabs(contents: Contents): Split {
  const parts: Record<Part, SampleRef[]> = { x: [], y: [], validation: [], test: [] };
  const given = contents.subjects.filter(({ role }) => role === "x");
  parts.x.push(...given.flatMap(refsOf));
  for (const subject of contents.subjects) {
    if (given.includes(subject)) continue;
    const { id, samples } = subject;
    const order = given.length > 0
      ? slabsWithoutX
      : samples.length >= roomToAlternate
      ? alternatingSlabs
      : slabs;
    const gap = Math.max(1, Math.round(samples.length / 30));
    const usable = samples.length - gap * (order.length - 1);
    if (usable < order.length) {
      throw new UsageError({
        what: `subject "${id}" has ${samples.length} samples, too few for ${
          order.length === 3 ? "three" : "four"
        } slabs with gaps between them`,
        where: "--split slabs",
        fix: `give subjects of at least ${
          order.length === 3 ? "five" : "seven"
        } samples, or split by subject`,
      });
    }
    // Every slab gets one sample; what is left goes by the shares.
    const all = [...new Set(order)].reduce((sum, part) => sum + shares[part], 0);
    const shareOf = (part: Part) => shares[part] / all / order.filter((other) => other === part).length;
    const ends = order.map((_, i) => {
      const share = order.slice(0, i + 1).reduce((sum, part) => sum + shareOf(part), 0);
      return i + 1 + Math.round(share * (usable - order.length));
    });
    let at = 0;
    for (const [i, part] of order.entries()) {
      const length = ends[i] - (i === 0 ? 0 : ends[i - 1]);
      parts[part].push(...samples.slice(at, at + length).map((sample) => ({ subject: id, sample })));
      at += length + gap;
    }
  }
  return { kind: "slabs", parts };
}

/** As the public reference code does: all training slices stand in x and in y, each domain in its own order. */
export function splitShuffled(contents: Contents, rng: Rng): Split {
  const { parts } = splitBySubject(contents, rng);
  const both = [...parts.x, ...parts.y];
  return {
    kind: "shuffled",
    parts: {
      ...parts,
      x: rng.stream("x-order").shuffled(both),
      y: rng.stream("y-order").shuffled(both),
    },
  };
}

/** Takes a split as a file gives it. `where` names the file in errors. */
export function splitFromFile(contents: Contents, file: unknown, where: string): Split {
  const ids = contents.subjects.map(({ id }) => id);
  const bySubject = new Map(contents.subjects.map((subject) => [subject.id, subject]));
  const refuse = (what: string, fix: string): never => {
    throw new UsageError({ what, where, fix });
  };
  const form = 'write {"x": [subjects], "y": [subjects], "validation": [subjects], "test": [subjects]}';
  if (typeof file !== "object" || file === null || Array.isArray(file)) {
    return refuse("a split file holds one JSON object", form);
  }
  const given = file as Record<string, unknown>;
  const parts: Record<Part, Subject[]> = { x: [], y: [], validation: [], test: [] };
  for (const name of Object.keys(given)) {
    if (!(partNames as readonly string[]).includes(name)) {
      refuse(`unknown part "${name}"`, suggest(name, partNames));
    }
  }
  for (const part of partNames) {
    const listed = given[part] ?? [];
    if (!Array.isArray(listed)) return refuse(`part "${part}" is no list of subjects`, form);
    for (const id of listed) {
      const subject = bySubject.get(String(id));
      if (subject === undefined) return refuse(`no subject "${id}" in the data`, suggest(String(id), ids));
      parts[part].push(subject);
    }
  }
  return { kind: "file", parts: samplesOf(parts) };
}

/** Everything is test: for data of few subjects, when no method learns from any. */
export function everythingIsTest(contents: Contents): Split {
  return {
    kind: "subjects",
    parts: samplesOf({ x: [], y: [], validation: [], test: contents.subjects }),
  };
}

/**
 * Fails where one part could have seen another: a subject in two parts, a sample in two slabs, or a volume that two of
 * the `subjects` have, each under its own name.
 *
 * @throws {Error} naming the leak; a run with one must not go on.
 */
export function assertNoLeak(split: Split, subjects: readonly Subject[] = []): void {
  const keyOf = split.kind === "slabs"
    ? ({ subject, sample }: SampleRef) => `${subject}/${sample}`
    : ({ subject }: SampleRef) => subject;
  const isAllowed = (part: Part, other?: Part) =>
    split.kind === "shuffled" && (part === "x" || part === "y") && (other === "x" || other === "y");
  const owner = new Map<string, Part>();
  for (const part of partNames) {
    for (const ref of split.parts[part]) {
      const key = keyOf(ref);
      const other = owner.get(key);
      const allowed = isAllowed(part, other);
      if (other !== undefined && other !== part && !allowed) {
        throw new UsageError({
          what: `leak: "${key}" is in the parts "${other}" and "${part}"`,
          where: `the split (${split.kind})`,
          fix: "put each subject into one part only",
        });
      }
      if (!allowed) owner.set(key, part);
    }
  }

  const volumesOf = new Map(subjects.map(({ id, volumes = [] }) => [id, volumes]));
  const first = new Map<string, { subject: string; part: Part }>();
  for (const part of partNames) {
    for (const subject of new Set(split.parts[part].map(({ subject }) => subject))) {
      for (const volume of volumesOf.get(subject) ?? []) {
        const other = first.get(volume) ?? { subject, part };
        if (other.subject !== subject && other.part !== part && !isAllowed(part, other.part)) {
          throw new UsageError({
            what:
              `leak: the subjects "${other.subject}" and "${subject}" hold the same volume, and are in the parts ` +
              `"${other.part}" and "${part}"`,
            where: `the split (${split.kind})`,
            fix: "leave one of the two out: the values are the same under two names",
          });
        }
        first.set(volume, other);
      }
    }
  }
}

/** What every table made from this split must say; empty for a split by subject. */
export function splitBanner(split: Split): string[] {
  if (split.kind === "slabs") {
    return [
      "SPLIT INTO SLABS: training, validation and test are slabs of the same subjects, with gaps between; scores are optimistic.",
    ];
  }
  if (split.kind === "shuffled") {
    return [
      "SHUFFLED: images and measurements come from the same slices, in different order, as in the public reference code; unpaired methods have seen the truth of what they train on.",
    ];
  }
  return [];
}

/** What the table's text says of a split that is not the data's own. */
export function splitNotes(contents: Contents, split: Split): string[] {
  const has = (role: Subject["role"]) => contents.subjects.some((subject) => subject.role === role);
  if (split.kind !== "subjects" || has("test") || !has("validation")) return [];
  return [
    "The data have no test part, so their validation part is the test part here, as is usual where the truth of the test part is " +
    "not public; validation subjects were taken out of the training part.",
  ];
}

/** Keeps to the roles that the data give; what has none is dealt out to the parts that no role fills, else trains. */
function splitByRole(subjects: readonly Subject[], rng: Rng): Split {
  const of = (role: Subject["role"]) => subjects.filter((subject) => subject.role === role);
  const without = of(undefined);
  let [validation, test] = [of("validation"), of("test")];
  let train = [...of("train"), ...without];
  if (test.length === 0) {
    // The usual case of fastMRI: the truth of the test part is not public, so results are told on its validation part.
    [test, validation] = [validation, []];
  }
  if (validation.length === 0 && train.length > 2) {
    const dealt = deal(train, { x: 0.9, y: 0, validation: 0.1, test: 0 }, rng.stream("validation"));
    if (dealt.validation.length === 0) dealt.validation.push(dealt.x.pop()!);
    [train, validation] = [dealt.x, dealt.validation];
  }
  const { x, y } = deal(train, { x: 0.5, y: 0.5, validation: 0, test: 0 }, rng.stream("domains"));
  return {
    kind: "subjects",
    parts: samplesOf({ x: [...x, ...of("x")], y: [...y, ...of("y")], validation, test }),
  };
}

/**
 * Deals subjects out to parts by share, stratum by stratum in random order, each to the part that is furthest
 * behind; so every stratum is spread over all parts, and the counts are within one of the shares.
 */
function deal(
  subjects: readonly Subject[],
  share: Readonly<Record<Part, number>>,
  rng: Rng,
): Record<Part, Subject[]> {
  const strata = new Map<string, Subject[]>();
  for (const subject of subjects) {
    const key = subject.stratum ?? "";
    strata.set(key, [...strata.get(key) ?? [], subject]);
  }
  const dealt: Record<Part, Subject[]> = { x: [], y: [], validation: [], test: [] };
  let count = 0;
  for (const key of [...strata.keys()].sort()) {
    for (const subject of rng.stream(`stratum/${key}`).shuffled(strata.get(key)!)) {
      count += 1;
      const behind = (part: Part) => share[part] * count - dealt[part].length;
      const part = partNames.reduce((best, other) => behind(other) > behind(best) + 1e-9 ? other : best);
      dealt[part].push(subject);
    }
  }
  // Hand out in the dataset's order: which part a subject is in is random, its place in the part is not.
  const place = new Map(subjects.map(({ id }, index) => [id, index]));
  for (const part of partNames) dealt[part].sort((a, b) => place.get(a.id)! - place.get(b.id)!);
  return dealt;
}

function refsOf({ id, samples }: Subject): SampleRef[] {
  return samples.map((sample) => ({ subject: id, sample }));
}

function samplesOf(parts: Readonly<Record<Part, readonly Subject[]>>): Split["parts"] {
  const refs = (list: readonly Subject[]) => list.flatMap(refsOf);
  return {
    x: refs(parts.x),
    y: refs(parts.y),
    validation: refs(parts.validation),
    test: refs(parts.test),
  };
}

function tooFew(contents: Contents, need: string): UsageError {
  const count = contents.subjects.length;
  return new UsageError({
    what: `${contents.name} has ${count} subject${count === 1 ? "" : "s"}: ${need}`,
    where: "--split subjects",
    fix: "give more subjects, or use --split slabs, which takes training and test from the same subjects",
  });
}
