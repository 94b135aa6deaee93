/** Volumes that are too large for a network's memory, piece by piece. */

import * as tf from "@tensorflow/tfjs-core";
import { sizeOf } from "../../core/image.ts";
import type { Tensor, Tensor4D } from "../../engine/tensor.ts";
import type { Network } from "./network.ts";

/** Voxels to either side of a cut that both pieces have. */
const overlap = 16;

/**
 * The network, given volumes of at most so many voxels: a larger one is cut in two across its longest axis, and those
 * again where they are still too large. Pieces overlap by 32 voxels, over which the one fades into the other, so that
 * neither a piece's border nor its own statistics, where a network normalises, leave a seam. Images, and volumes that
 * cannot be cut, are given as they are.
 */
export function inPieces(network: Network, mostVoxels: number): Network {
  const apply: Network["apply"] = (volumes, A) => {
    const [batch, ...extents] = volumes.shape;
    const space = extents.slice(0, -1);
    const longest = Math.max(...space);
    if (volumes.rank < 5 || sizeOf([batch, ...space]) <= mostVoxels || longest < 4 * overlap) {
      return network.apply(volumes, A);
    }
    const axis = 1 + space.indexOf(longest);
    const middle = Math.floor(longest / 2);
    return tf.tidy(() => {
      const first = apply(part(volumes, axis, 0, middle + overlap), A);
      const second = apply(part(volumes, axis, middle - overlap, longest), A);
      return faded(first, second, axis);
    });
  };
  return { ...network, apply };
}

/** Two pieces of which the end of the first and the beginning of the second are the same place. */
function faded(first: Tensor4D, second: Tensor4D, axis: number): Tensor4D {
  const [shared, before, after] = [2 * overlap, first.shape[axis]! - 2 * overlap, second.shape[axis]!];
  const share = Float32Array.from({ length: shared }, (_, i) => (i + 0.5) / shared);
  const rising = tf.tensor(share, first.shape.map((_, other) => other === axis ? shared : 1));
  const [ending, beginning] = [part(first, axis, before, before + shared), part(second, axis, 0, shared)];
  const between = tf.add<Tensor>(ending, tf.mul(rising, tf.sub(beginning, ending)));
  const parts: Tensor[] = [part(first, axis, 0, before), between, part(second, axis, shared, after)];
  return tf.concat(parts, axis) as Tensor4D;
}

/** From `start` to before `end` along one axis. */
function part(volumes: Tensor, axis: number, start: number, end: number): Tensor4D {
  const begin = volumes.shape.map((_, other) => other === axis ? start : 0);
  const size = volumes.shape.map((extent, other) => other === axis ? end - start : extent);
  return tf.slice(volumes, begin, size) as Tensor4D;
}
