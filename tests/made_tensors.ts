import type { Tensors } from "../core/safetensors.ts";

/** What Python was given to read. */
export const made: Tensors = {
  arrays: [
    { name: "φ/0/filter", shape: [1, 2, 3], data: Float32Array.of(1, -2.5, 3e-8, 0, 1e30, 0.1) },
    { name: "G/bias", shape: [2], data: Float32Array.of(-1, 7) },
    { name: "scalar", shape: [], data: Float32Array.of(0.25) },
  ],
  metadata: { method: '"ot-cyclegan"', words: "größer 'als' \"eins\"\n" },
};
