/** Starts the native backend, and prints which kernels have another gradient than before. */

import * as tf from "@tensorflow/tfjs-core";
import { startBackend } from "../engine/backend.ts";
import "../engine/ops.ts";

if (import.meta.main) {
  const kernels = Object.values(tf).filter((name) => typeof name === "string");
  const gradients = () => new Map(kernels.map((name) => [name, tf.getGradient(name)]));
  const before = gradients();
  await startBackend({ name: "native" });
  const after = gradients();
  const changed = kernels.filter((name) => after.get(name) !== before.get(name));
  const all = kernels.filter((name) => before.get(name) !== undefined).length;
  console.log(JSON.stringify({ changed, all }));
}
