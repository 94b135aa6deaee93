/** A method that learns from what another method makes of measurements, where nobody has the images that belong to them. */

import * as tf from "@tensorflow/tfjs-core";
import type { Settings } from "../core/settings.ts";
import type { Batch, Method } from "./method.ts";

/**
 * `pupil`, which learns from pairs, shown as pairs the measurements of y and what `teacher`, which needs no training, makes
 * of them. It looks at no image of x, and is no better than its teacher but by being faster, and by what a network smooths
 * over.
 *
 * @param about `name`, one line for lists, and the source.
 * @throws {TypeError} where the pupil may know the operator, or the teacher trains.
 */
export function taught<S extends Settings>(
  about: Pick<Method, "name" | "about" | "source">,
  pupil: Method<S>,
  teacher: Method,
): Method<S> {
  const { name } = about;
  if (!pupil.knows.pairs || pupil.knows.operator !== "nothing") {
    throw new TypeError(`${name}: ${pupil.name} does not learn from pairs alone`);
  }
  if (teacher.trains || teacher.fits) throw new TypeError(`${name}: ${teacher.name} has to learn itself`);
  const teaching = Object.fromEntries(
    Object.entries(teacher.settings).map(([setting, { default: value }]) => [setting, value]),
  );
  return {
    ...pupil,
    ...about,
    knows: { pairs: false, operator: "exactly" },
    prepare(problem, settings, rng) {
      const learner = pupil.prepare(problem, settings, rng);
      const master = teacher.prepare(problem, teaching, rng.stream("teacher"));
      const lesson = async (batch: Batch): Promise<Batch> => {
        const { x, y, see } = batch;
        await master.locate?.(y, batch);
        const pair = tf.tidy(() => ({ x: master.reconstruct(y, batch), y: see(y) }));
        tf.dispose([x, y]);
        return { ...pair, A: undefined, see: (seen) => tf.clone(seen) as tf.Tensor4D };
      };
      return {
        ...learner,
        update: (draw, progress) => learner.update!(async () => lesson(await draw()), progress),
        [Symbol.dispose]() {
          learner[Symbol.dispose]();
          master[Symbol.dispose]();
        },
      };
    },
  };
}
