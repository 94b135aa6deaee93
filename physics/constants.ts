/**
 * Tensors that operators are made of, kept on the device for as long as they are in use.
 *
 * An operator itself is a plain value that anybody may drop; the tensors that it needs are made here when it
 * is first applied. A data set with a mask for each file would fill the memory with them, so those that were
 * used longest ago are let go of, and made again, with the same values, if they are asked for again.
 */

import * as tf from "@tensorflow/tfjs-core";
import { aside } from "../engine/replay.ts";

// Room for a pool of masks or some slices' sensitivities; few enough values to leave a worker small.
const roomBytes = 64 * 2 ** 20;
// What one training step uses must not be let go of within the step, however large.
const leastCount = 8;

let bytes = 0;
const constants = new Map<string, tf.Tensor>();

/** The constant called `name`, made by `make` where it is not there. It is borrowed: do not dispose it. */
export function kept<T extends tf.Tensor>(name: string, make: () => T): T {
  const key = `${tf.getBackend()}/${name}`;
  let constant = constants.get(key);
  if (constant === undefined) {
    constant = aside(() => tf.tidy(() => tf.keep(make())));
    bytes += sizeInBytes(constant);
  } else constants.delete(key);
  constants.set(key, constant); // the last one in order is the one used last
  for (const [oldest, old] of constants) {
    if (bytes <= roomBytes || constants.size <= leastCount) break;
    constants.delete(oldest);
    bytes -= sizeInBytes(old);
    old.dispose(); // a recorded step that used it finds it gone, and is recorded anew
  }
  return constant as T;
}

function sizeInBytes(tensor: tf.Tensor): number {
  return tensor.size * 4;
}
