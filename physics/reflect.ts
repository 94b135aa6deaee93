/** Images continued beyond their borders by their mirror images. */

import * as tf from "@tensorflow/tfjs-core";
import type { Tensor } from "../engine/tensor.ts";

/**
 * `x` with `before` and `after` more pixels along `axis`, mirrored at the middle of the border's pixel (`…cb|abc…` becomes
 * `…cbabc…`); where the image is smaller than what is wanted, to and fro. Linear, of ops that can be replayed.
 */
export function reflected<T extends Tensor>(x: T, axis: number, before: number, after: number): T {
  if (before === 0 && after === 0) return x;
  const extent = x.shape[axis];
  // One pixel alone has no mirror image but itself.
  const room = extent === 1 ? 1 : extent - 1;
  const [left, right] = [Math.min(before, room), Math.min(after, room)];
  const part = (from: number, count: number): tf.Tensor[] => {
    if (count === 0) return [];
    const [begin, size] = [x.shape.map(() => 0), [...x.shape]];
    [begin[axis], size[axis]] = [from, count];
    return [tf.reverse(tf.slice(x, begin, size), axis)];
  };
  const rim = extent === 1 ? 0 : 1;
  const wider = tf.concat([...part(rim, left), x, ...part(extent - rim - right, right)], axis) as T;
  return reflected(wider, axis, before - left, after - right);
}
