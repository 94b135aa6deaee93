/** Checks of what operators are given. */

import type * as tf from "@tensorflow/tfjs-core";
import { explain } from "../core/errors.ts";
import type { Shape } from "./operator.ts";

/** Refuses a tensor that is not `[batch, ...shape]`; `operator` says in the error who was given it. */
export function requireBatch(operator: string, tensor: tf.Tensor, shape: Shape): void {
  const [, ...own] = tensor.shape;
  if (tensor.rank === shape.length + 1 && own.every((extent, axis) => extent === shape[axis])) return;
  throw new RangeError(explain({
    what: `a tensor [${tensor.shape}] was given to the operator "${operator}"`,
    where: operator,
    fix: `give [batch, ${shape.join(", ")}]`,
  }));
}
