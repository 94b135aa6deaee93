import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { startBackend } from "../engine/backend.ts";
import { l1 } from "../engine/ops.ts";
import { input } from "../baselines/input.ts";
import { cycleGan } from "../methods/cyclegan.ts";
import { supervised } from "../methods/supervised.ts";
import { taught } from "../methods/taught.ts";
import type { Method } from "../methods/method.ts";
import { prepareToy, toyBatches } from "./toy_problem.ts";

await startBackend();

/** Makes of every measurement its negative. */
const teacher: Method = {
  ...input,
  name: "negative",
  knows: { pairs: false, operator: "exactly" },
  prepare: (problem, settings, rng) => ({
    ...input.prepare(problem, settings, rng),
    reconstruct: (y, { see }) => tf.tidy(() => tf.neg(see(y))),
  }),
};
const about = { name: "pupil", about: "", source: "" };

Deno.test("a pupil comes to make of measurements what its teacher does, whatever the images of x are", async () => {
  const pupil = taught(about, supervised, teacher);
  deepStrictEqual([pupil.name, pupil.knows], ["pupil", { pairs: false, operator: "exactly" }]);
  using learner = prepareToy(pupil, { residual: false });
  const draw = toyBatches("taught");
  for (let update = 0; update < 200; update++) {
    await learner.update!(async () => {
      const batch = await draw();
      batch.x.dispose();
      return { ...batch, x: tf.fill(batch.y.shape, 1e6) };
    }, update / 200);
  }
  const batch = await draw();
  const wanted = tf.neg(batch.y);
  const error = (image: tf.Tensor) => tf.tidy(() => l1(wanted, image).dataSync()[0]);
  const made = learner.reconstruct(batch.y, batch);
  ok(error(made) < 0.25 * error(batch.y), `${error(made)} of ${error(batch.y)}`);
});

Deno.test("a pupil leaves no tensor behind, and goes on from a state to the same bits", async () => {
  const start = tf.memory().numTensors;
  {
    const pupil = taught(about, supervised, teacher);
    using whole = prepareToy(pupil);
    const draw = toyBatches("state");
    for (let update = 0; update < 3; update++) await whole.update!(draw, update / 6);
    const state = await whole.state!();
    using resumed = prepareToy(pupil);
    resumed.restore!(state);
    const rest = async (learner: typeof whole) => {
      const draw = toyBatches("rest");
      const log = [];
      for (let update = 3; update < 6; update++) log.push(await learner.update!(draw, update / 6));
      return log;
    };
    deepStrictEqual(await rest(resumed), await rest(whole));
  }
  strictEqual(tf.memory().numTensors, start);
});

Deno.test("pupils that do not learn from pairs alone, and teachers that learn, are refused", () => {
  throws(() => taught(about, cycleGan as Method, teacher), /cyclegan does not learn from pairs alone/);
  throws(() => taught(about, supervised, supervised as unknown as Method), /supervised has to learn itself/);
});
