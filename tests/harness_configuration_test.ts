import { deepStrictEqual, throws } from "node:assert/strict";
import { differences } from "../core/json.ts";
import { configure, parseSeeds } from "../harness/configuration.ts";
import { jobsOf, startOrder } from "../harness/plan.ts";
import { input, toyBenchmark } from "./toy.ts";

const request = { benchmark: "toy", profile: "smoke", set: [] as string[] };
const gains = (more: Partial<typeof request>) =>
  Object.fromEntries(
    configure([toyBenchmark()], { ...request, ...more }).rows.map((
      { row, settings },
    ) => [row.name, settings.gain]),
  );

Deno.test("parseSeeds() reads a range, a list and a count", () => {
  deepStrictEqual(parseSeeds("11-13"), [11, 12, 13]);
  deepStrictEqual(parseSeeds("9,1,4"), [1, 4, 9]);
  deepStrictEqual(parseSeeds("3"), [1, 2, 3]);
  deepStrictEqual(parseSeeds("5-5"), [5]);
  for (const wrong of ["", "0", "3-1", "1,1", "1,,2", "-1", "1.5", "x", "1-99999", "1e3"]) {
    throws(() => parseSeeds(wrong), /--seeds/, wrong);
  }
});

Deno.test("configure() settles a setting from default, row, profile and --set, the later over the earlier", () => {
  deepStrictEqual(gains({}), { input: 1, half: 0.25 });
  deepStrictEqual(gains({ profile: "quick" }), { input: 0.5, half: 0.5 });
  deepStrictEqual(gains({ profile: "paper" }), { input: 1.5, half: 0.25 });
  deepStrictEqual(gains({ set: ["gain=0.75"] }), { input: 0.75, half: 0.75 });
  deepStrictEqual(gains({ set: ["half.gain=2", "gain=0.75"] }), { input: 0.75, half: 2 });
});

Deno.test("configure() suggests the nearest name for whatever it does not know", () => {
  const wrong = (more: object, expected: RegExp) =>
    throws(() => configure([toyBenchmark()], { ...request, ...more }), expected);
  wrong({ benchmark: "toys" }, /unknown benchmark "toys"[\s\S]*did you mean "toy"/);
  wrong({ profile: "quik" }, /unknown profile[\s\S]*did you mean "quick"/);
  wrong({ methods: ["inputs"] }, /unknown method[\s\S]*did you mean "input"/);
  wrong({ methods: [] }, /no method is named/);
  wrong({ set: ["gian=1"] }, /unknown setting "gian"[\s\S]*did you mean "gain"/);
  wrong({ set: ["half.gian=1"] }, /did you mean "gain"/);
  wrong({ set: ["gain=3"] }, /between 0 and 2/);
  wrong({ set: ["gain=much"] }, /give a number/);
  wrong({ set: ["gain="] }, /give a number/);
  wrong({ set: ["updates=1.5"] }, /whole number/);
  wrong({ set: ["gain"] }, /sets nothing/);
});

Deno.test("jobsOf() stands in the table's order whatever the order of --methods; seeds are for what trains", () => {
  const trained = { ...input, trains: true, effort: 3 };
  const benchmark = toyBenchmark({
    rows: [{ name: "a", method: input }, { name: "b", method: trained }, {
      name: "c",
      method: { ...trained, effort: 5 },
    }],
  });
  const both = ["a,b,c", "c,a,b"].map((methods) =>
    jobsOf(configure([benchmark], { ...request, methods: methods.split(","), seeds: "4,2" }))
  );
  deepStrictEqual(both[0], both[1]);
  deepStrictEqual(both[0].map(({ record }) => record), [
    "a.json",
    "b.seed-2.json",
    "b.seed-4.json",
    "c.seed-2.json",
    "c.seed-4.json",
  ]);
  const configuration = configure([benchmark], { ...request, seeds: "4,2" });
  deepStrictEqual(
    startOrder(configuration, both[0]).map(({ record }) => record),
    ["c.seed-2.json", "b.seed-2.json", "a.json", "c.seed-4.json", "b.seed-4.json"],
  );
});

Deno.test("differences() names the setting that differs", () => {
  deepStrictEqual(differences({ a: { b: 1, c: 2 }, d: [1] }, { a: { b: 1, c: 3 }, d: [1], e: "x" }), [
    "a.c: 2 there, 3 here",
    'e: not set there, "x" here',
  ]);
});
