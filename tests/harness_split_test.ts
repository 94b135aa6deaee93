import { deepStrictEqual, equal, notDeepStrictEqual, ok, throws } from "node:assert/strict";
import { stream } from "../core/random.ts";
import {
  assertNoLeak,
  firstOf,
  partNames,
  type Split,
  splitBanner,
  splitBySubject,
  splitFromFile,
  splitIntoSlabs,
  splitShuffled,
} from "../harness/split.ts";
import type { Subject } from "../datasets/dataset.ts";
import { toyContents } from "./toy.ts";

const sizes = ({ parts }: Split) => partNames.map((part) => parts[part].length);
const subjectsOf = ({ parts }: Split, part: typeof partNames[number]) =>
  new Set(parts[part].map(({ subject }) => subject));

Deno.test("firstOf() takes the first samples of each subject, part by part", () => {
  const { parts } = firstOf(splitBySubject(toyContents(14, 5), stream("split")), 2);
  for (const refs of Object.values(parts)) {
    const own = Map.groupBy(refs, ({ subject }) => subject);
    for (const samples of own.values()) deepStrictEqual(samples.map(({ sample }) => sample), ["0", "1"]);
  }
  deepStrictEqual(Object.values(parts).map((refs) => refs.length), [8, 8, 4, 8]);
});

Deno.test("splitBySubject() deals fourteen subjects out as 4 x, 4 y, 2 validation and 4 test", () => {
  deepStrictEqual(sizes(splitBySubject(toyContents(14, 1), stream("a"))), [4, 4, 2, 4]);
  deepStrictEqual(sizes(splitBySubject(toyContents(4, 1), stream("a"))), [1, 1, 1, 1]);
});

Deno.test("splitBySubject() puts every subject into one part, whatever the stream", () => {
  for (let seed = 0; seed < 20; seed++) {
    const split = splitBySubject(toyContents(4 + seed, 3), stream(`split ${seed}`));
    assertNoLeak(split);
    const all = partNames.flatMap((part) => [...subjectsOf(split, part)]);
    deepStrictEqual([all.length, new Set(all).size], [4 + seed, 4 + seed]);
  }
});

Deno.test("splitBySubject() is the same for the same stream and another for another", () => {
  const contents = toyContents(14, 1);
  deepStrictEqual(splitBySubject(contents, stream("a")), splitBySubject(contents, stream("a")));
  notDeepStrictEqual(splitBySubject(contents, stream("a")), splitBySubject(contents, stream("b")));
});

Deno.test("splitBySubject() spreads each stratum over all parts", () => {
  const contents = toyContents(28, 1);
  const subjects = contents.subjects.map((subject, i) => ({ ...subject, stratum: i % 2 ? "T1" : "T2" }));
  const split = splitBySubject({ ...contents, subjects }, stream("a"));
  for (const part of partNames) {
    const t1 = split.parts[part].filter(({ subject }) => Number(subject.slice(1)) % 2 === 1).length;
    ok(Math.abs(t1 - split.parts[part].length / 2) <= 1, `${part} has ${t1} of ${split.parts[part].length}`);
  }
});

Deno.test("splitBySubject() keeps to the official parts, and takes validation out of training where it must", () => {
  const contents = toyContents(12, 1);
  const role = (i: number) => (i < 8 ? "train" : "validation") as "train" | "validation";
  const subjects = contents.subjects.map((subject, i) => ({ ...subject, role: role(i) }));
  const split = splitBySubject({ ...contents, subjects }, stream("a"));
  assertNoLeak(split);
  deepStrictEqual([...subjectsOf(split, "test")], ["s8", "s9", "s10", "s11"]);
  deepStrictEqual(sizes(split).reduce((a, b) => a + b), 12);
  ok(split.parts.validation.every(({ subject }) => Number(subject.slice(1)) < 8));
});

Deno.test("splitBySubject() leaves no subject out where only some have a role", () => {
  const contents = toyContents(9, 1);
  const only = (role: Subject["role"], count: number) => ({
    ...contents,
    subjects: contents.subjects.map((subject, i) => i < count ? { ...subject, role } : subject),
  });
  for (const role of ["test", "validation", "train"] as const) {
    const split = splitBySubject(only(role, role === "train" ? 9 : 1), stream("a"));
    assertNoLeak(split);
    deepStrictEqual(sizes(split).reduce((a, b) => a + b), 9);
    ok(split.parts.x.length > 0 && split.parts.y.length > 0, `${role}: ${sizes(split)}`);
  }
});

Deno.test("splitBySubject() keeps subjects that the data give to one domain there", () => {
  const contents = toyContents(9, 1);
  const roles = ["x", "x", "x", "y", "y", "validation", "test", "test", "test"] as const;
  const subjects = contents.subjects.map((subject, i) => ({ ...subject, role: roles[i] }));
  const split = splitBySubject({ ...contents, subjects }, stream("a"));
  deepStrictEqual(sizes(split), [3, 2, 1, 3]);
  deepStrictEqual([...subjectsOf(split, "y")], ["s3", "s4"]);
});

Deno.test("splitBySubject() refuses three subjects and names --split slabs as the way out", () => {
  throws(() => splitBySubject(toyContents(3, 9), stream("a")), /3 subjects[\s\S]*--split slabs/);
});

Deno.test("splitIntoSlabs() leaves a gap of a sample or more between slabs", () => {
  for (const samples of [7, 8, 18, 24, 32, 100]) {
    const split = splitIntoSlabs(toyContents(2, samples));
    assertNoLeak(split);
    const owner = new Map(
      partNames.flatMap((part) =>
        split.parts[part].filter(({ subject }) => subject === "s1").map(({ sample }) =>
          [Number(sample), part] as const
        )
      ),
    );
    // Walking through the volume, a part may only be left by way of samples that nobody has.
    const order: string[] = [];
    for (let sample = 0; sample < samples; sample++) {
      const [before, here] = [owner.get(sample - 1), owner.get(sample)];
      ok(
        before === undefined || here === undefined || before === here,
        `no gap before ${sample} of ${samples}`,
      );
      if (here !== undefined && before === undefined) order.push(here);
    }
    const training = samples < 24 ? ["x", "y"] : ["x", "y", "x", "y"];
    deepStrictEqual(order, [...training, "validation", "test"]);
  }
  throws(() => splitIntoSlabs(toyContents(1, 6)), /too few for four slabs/);
});

Deno.test("splitIntoSlabs() gives x the subjects that are there for it, and the others' slabs to y, validation and test", () => {
  const { subjects, ...contents } = toyContents(3, 20);
  const images = { ...subjects[0], role: "x" as const };
  const split = splitIntoSlabs({ ...contents, subjects: [images, ...subjects.slice(1)] });
  assertNoLeak(split);
  deepStrictEqual([...subjectsOf(split, "x")], ["s0"]);
  equal(split.parts.x.length, 20);
  const slab = (part: "y" | "validation" | "test") =>
    split.parts[part].filter(({ subject }) => subject === "s2").map(({ sample }) => Number(sample));
  deepStrictEqual([slab("y"), slab("validation"), slab("test")], [
    [0, 1, 2, 3, 4, 5, 6],
    [8, 9, 10, 11],
    [13, 14, 15, 16, 17, 18, 19],
  ]);
  const few = { ...contents, subjects: [images, { ...subjects[1], samples: ["0", "1", "2", "3"] }] };
  throws(() => splitIntoSlabs(few), /too few for three slabs[^]*at least five samples/);
});

Deno.test("splitShuffled() has the same slices in both domains, in different orders, and says so", () => {
  const split = splitShuffled(toyContents(14, 3), stream("a"));
  assertNoLeak(split);
  const keys = (part: "x" | "y") => split.parts[part].map(({ subject, sample }) => `${subject}/${sample}`);
  deepStrictEqual([...keys("x")].sort(), [...keys("y")].sort());
  notDeepStrictEqual(keys("x"), keys("y"));
  ok(splitBanner(split)[0].includes("SHUFFLED"));
});

Deno.test("assertNoLeak() finds a subject that was planted in two parts, and a sample in two slabs", () => {
  const split = splitBySubject(toyContents(14, 2), stream("a"));
  for (const [from, to] of [["x", "test"], ["y", "validation"], ["x", "y"]] as const) {
    const parts = { ...split.parts, [to]: [...split.parts[to], split.parts[from][0]] };
    throws(() => assertNoLeak({ ...split, parts }), /leak: "s\d+" is in the parts/);
  }
  const slabs = splitIntoSlabs(toyContents(1, 9));
  const parts = { ...slabs.parts, test: [...slabs.parts.test, slabs.parts.x[0]] };
  throws(() => assertNoLeak({ ...slabs, parts }), /leak: "s0\/0"/);
  const shuffled = splitShuffled(toyContents(14, 2), stream("a"));
  const planted = { ...shuffled.parts, test: [...shuffled.parts.test, shuffled.parts.y[0]] };
  throws(() => assertNoLeak({ ...shuffled, parts: planted }), /leak/);
});

Deno.test("splitFromFile() takes subjects by part, and refuses unknown ones with the nearest name", () => {
  const contents = toyContents(4, 2);
  const file = { x: ["s0"], y: ["s1"], validation: ["s2"], test: ["s3"] };
  deepStrictEqual(sizes(splitFromFile(contents, file, "f")), [2, 2, 2, 2]);
  throws(
    () => splitFromFile(contents, { ...file, x: ["s00"] }, "f"),
    /no subject "s00"[\s\S]*did you mean "s0"/,
  );
  throws(() => splitFromFile(contents, { tests: ["s0"] }, "f"), /did you mean "test"/);
  throws(() => splitFromFile(contents, ["s0"], "f"), /one JSON object/);
  const twice = splitFromFile(contents, { ...file, test: ["s0"] }, "f");
  throws(() => assertNoLeak(twice), /leak/);
});

Deno.test("assertNoLeak() refuses a copy of a volume in another part, and names both subjects", () => {
  const contents = toyContents(14, 2);
  const split = splitBySubject(contents, stream("a"));
  const [[x], [y]] = [subjectsOf(split, "x"), subjectsOf(split, "y")].map((ids) => [...ids]);
  const planted = (...ids: string[]) =>
    contents.subjects.map((subject) => ({
      ...subject,
      volumes: [`own-${subject.id}`, ...(ids.includes(subject.id) ? ["copy"] : [])],
    }));
  assertNoLeak(split, planted());
  for (const part of ["y", "validation", "test"] as const) {
    const [other] = subjectsOf(split, part);
    throws(
      () => assertNoLeak(split, planted(x, other)),
      new RegExp(`leak: [^]*"${x}" and "${other}" hold the same volume[^]*"x" and "${part}"`),
    );
  }
  // Within one part it is no leak, and where images and measurements are the same slices neither is it one of theirs.
  assertNoLeak(split, planted(...subjectsOf(split, "test")));
  const shuffled = splitShuffled(contents, stream("a"));
  assertNoLeak(shuffled, planted(x, y));
  const [test] = subjectsOf(shuffled, "test");
  throws(() => assertNoLeak(shuffled, planted(x, test)), /the same volume/);
  throws(() => assertNoLeak(splitIntoSlabs(toyContents(2, 40)), planted("s0", "s1")), /the same volume/);
});
