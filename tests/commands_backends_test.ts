/** A small benchmark from the command line on each backend that starts here, by workers with what little they may. */

import { deepStrictEqual, equal, ok } from "node:assert/strict";
import { workerPermissions } from "../harness/permissions.ts";
import type { Plan } from "../harness/plan.ts";
import { bench, inFolder, job, pathOf, recordsOf } from "./commands_running.ts";
import { starts } from "./engine_op_cases.ts";

const small = ["mri", "--profile", "smoke", "--methods", "zero-filled,ot-cyclegan"];

/** Rows that between them take kinds of ops that `mri` has not: emitters, volumes, learned kernels, a teacher. */
const various = [
  small,
  ["smlm", "--profile", "smoke", "--methods", "random-points,deep-storm-falcon,ot-cyclegan-blind"],
  ["deconvolution-3d", "--profile", "smoke", "--methods", "ot-cyclegan-blind-free-kernel,ot-cyclegan-half"],
];

/** What rounding may make of scores after the three updates of `smoke`, as a share. */
const tolerance = 5e-4;

for (const name of ["native", "webgpu"]) {
  const ignore = !(await starts(name));

  for (const asked of various) {
    Deno.test(
      { name: `bench ${asked[0]} on ${name}, by two workers, has the scores of wasm`, ignore },
      () =>
        inFolder(async (folder) => {
          const run = async (backend: string) => {
            const out = `${folder}/${backend}`;
            const how = ["--backend", backend, "--workers", "2", "--out", out];
            const { code, out: said, err } = await bench(...asked, ...how);
            equal(code, 0, said + err);
            return await recordsOf(out);
          };
          const [expected, found] = [await run("wasm"), await run(name)];
          deepStrictEqual([...found.keys()], [...expected.keys()]);
          for (const [file, { scores, provenance }] of found) {
            equal(provenance.backend, name);
            const theirs = expected.get(file)!.scores;
            equal(scores.length, theirs.length);
            let compared = 0;
            for (const [i, { metric, value }] of scores.entries()) {
              equal(metric, theirs[i].metric);
              const there = theirs[i].value;
              // Of what is nearly 0, or a count of localisations, a share says nothing.
              if (typeof value !== "number" || typeof there !== "number" || Math.abs(there) < 0.05) continue;
              compared++;
              ok(
                Math.abs(value - there) <= tolerance * Math.abs(there),
                `${file}, ${metric}: ${value}, not ${there}`,
              );
            }
            ok(compared > 0, file);
          }
        }),
    );
  }

  Deno.test(
    { name: `deno task job does a job of a plan on ${name}`, ignore },
    () =>
      inFolder(async (folder) => {
        const planned = await bench(...small, "--backend", name, "--plan", "--out", folder);
        equal(planned.code, 0, planned.err);
        const { code, err } = await job(folder, "ot-cyclegan.seed-1");
        equal(code, 0, err);
        equal((await recordsOf(folder)).get("ot-cyclegan.seed-1.json")!.state.kind, "done");
      }),
  );
}

for (const name of ["wasm", "native", "webgpu"]) {
  Deno.test(`a worker on ${name} loads no library of the machine, and does nothing else unasked`, () =>
    inFolder(async (folder) => {
      const plan = { use: [], data: { paths: [] }, backend: { name } } as unknown as Plan;
      const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["run", "--no-prompt", ...workerPermissions(folder, plan), pathOf("trespasser.ts")],
      }).output();
      const text = new TextDecoder();
      ok(stdout.length > 0, text.decode(stderr));
      deepStrictEqual(JSON.parse(text.decode(stdout)), []);
    }));
}
