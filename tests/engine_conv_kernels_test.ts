/**
 * The convolution kernels as pointers and numbers, without TensorFlow.js: held to sums in float64, in both
 * arithmetic classes. All memory is NaN before a call, so a number that is read without having been given
 * shows.
 */

import { deepStrictEqual, ok } from "node:assert/strict";
import { stream } from "../core/random.ts";

type Size = readonly [
  batch: number,
  height: number,
  width: number,
  channels: number,
  filterHeight: number,
  filterWidth: number,
  outputs: number,
  padding: number,
];
type Call = (...pointersAndSizes: number[]) => void;
type Kernels = Record<"convForward" | "convBackpropInput" | "convBackpropFilter", Call>;
type Scratch = Record<`${keyof Kernels}Scratch`, (...size: Size) => number>;

const directions = ["convForward", "convBackpropInput", "convBackpropFilter"] as const;
const arithmeticClasses = ["fma", "muladd"] as const;

class Module {
  readonly #memory = new WebAssembly.Memory({ initial: 512 });
  readonly #kernels: Kernels & Scratch;

  constructor(arithmetic: typeof arithmeticClasses[number]) {
    const url = new URL(`../engine/kernels/conv.${arithmetic}.wasm`, import.meta.url);
    const imports = { env: { memory: this.#memory, abort: () => ok(false, "the module aborts") } };
    const instance = new WebAssembly.Instance(new WebAssembly.Module(Deno.readFileSync(url)), imports);
    this.#kernels = instance.exports as Kernels & Scratch;
  }

  /** Runs one kernel amid NaN, and makes sure that it writes nothing but its output and its scratch. */
  run(direction: keyof Kernels, a: Float32Array, b: Float32Array, outputs: number, size: Size): Float32Array {
    const scratchFloats = this.#kernels[`${direction}Scratch`](...size) / 4;
    let end = 256;
    const [first, second, out, scratch] = [a.length, b.length, outputs, scratchFloats].map((length) => {
      const start = end;
      end = Math.ceil((start + length + 16) / 4) * 4;
      return start;
    });
    const heap = new Float32Array(this.#memory.buffer, 0, end + 256).fill(NaN);
    heap.set(a, first);
    heap.set(b, second);
    this.#kernels[direction](first * 4, second * 4, out * 4, ...size, scratch * 4);
    const result = heap.slice(out, out + outputs);
    heap.fill(NaN, out, out + outputs).fill(NaN, scratch, scratch + scratchFloats);
    deepStrictEqual(heap.slice(first, first + a.length), a);
    deepStrictEqual(heap.slice(second, second + b.length), b);
    heap.fill(NaN, first, first + a.length).fill(NaN, second, second + b.length);
    ok(heap.every(Number.isNaN), `${direction} ${size} writes where it should not`);
    return result;
  }
}

interface Problem {
  readonly size: Size;
  readonly x: Float32Array;
  readonly filter: Float32Array;
  readonly gradient: Float32Array;
}

function problem(size: Size, name = "problem"): Problem {
  const [batch, height, width, channels, filterHeight, filterWidth, outputs, padding] = size;
  const rng = stream(`tests/conv/${name}/${size}`);
  const normals = (length: number) => Float32Array.from({ length }, () => rng.normal());
  const outHeight = height + 2 * padding - filterHeight + 1;
  const outWidth = width + 2 * padding - filterWidth + 1;
  return {
    size,
    x: normals(batch * height * width * channels),
    filter: normals(filterHeight * filterWidth * channels * outputs),
    gradient: normals(batch * outHeight * outWidth * outputs),
  };
}

/** The definition, summed in float64. */
function expected({ size, x, filter, gradient }: Problem): Record<keyof Kernels, Float64Array> {
  const [batch, height, width, channels, filterHeight, filterWidth, outputs, padding] = size;
  const outHeight = height + 2 * padding - filterHeight + 1;
  const outWidth = width + 2 * padding - filterWidth + 1;
  const y = new Float64Array(gradient.length);
  const dx = new Float64Array(x.length);
  const dfilter = new Float64Array(filter.length);
  for (let n = 0; n < batch; n++) {
    for (let i = 0; i < outHeight; i++) {
      for (let j = 0; j < outWidth; j++) {
        for (let tap = 0; tap < filterHeight * filterWidth; tap++) {
          const row = i + Math.floor(tap / filterWidth) - padding;
          const column = j + tap % filterWidth - padding;
          if (row < 0 || row >= height || column < 0 || column >= width) continue;
          const xStart = ((n * height + row) * width + column) * channels;
          const yStart = ((n * outHeight + i) * outWidth + j) * outputs;
          for (let c = 0; c < channels; c++) {
            const start = (tap * channels + c) * outputs;
            for (let k = 0; k < outputs; k++) {
              y[yStart + k] += x[xStart + c] * filter[start + k];
              dx[xStart + c] += gradient[yStart + k] * filter[start + k];
              dfilter[start + k] += gradient[yStart + k] * x[xStart + c];
            }
          }
        }
      }
    }
  }
  return { convForward: y, convBackpropInput: dx, convBackpropFilter: dfilter };
}

function runAll(module: Module, { size, x, filter, gradient }: Problem): Record<keyof Kernels, Float32Array> {
  return {
    convForward: module.run("convForward", x, filter, gradient.length, size),
    convBackpropInput: module.run("convBackpropInput", gradient, filter, x.length, size),
    convBackpropFilter: module.run("convBackpropFilter", x, gradient, filter.length, size),
  };
}

/** The largest difference as a share of the largest expected value; NaN where one of the two is. */
function error(actual: Float32Array, truth: Float64Array): number {
  const largest = (values: Float64Array) =>
    values.reduce((most, v) => Math.abs(v) > most || Number.isNaN(v) ? Math.abs(v) : most, 0);
  return largest(truth.map((v, i) => v - actual[i])) / largest(truth);
}

function holds(
  arithmetic: typeof arithmeticClasses[number],
  sizes: readonly Size[],
  tolerance: number,
): void {
  const module = new Module(arithmetic);
  for (const size of sizes) {
    const given = problem(size);
    const truth = expected(given);
    const actual = runAll(module, given);
    for (const direction of directions) {
      const worst = error(actual[direction], truth[direction]);
      ok(worst <= tolerance, `${arithmetic} ${direction} of ${size} is off by ${worst} of the maximum`);
    }
  }
}

/** Blocks of eight, fours, pairs and every ragged rest of them. */
const channelPairs = [[1, 1], [2, 8], [8, 2], [3, 5], [5, 7], [7, 3], [4, 8], [8, 16], [9, 17], [16, 24], [
  33,
  1,
]];

for (const arithmetic of arithmeticClasses) {
  Deno.test(`convolutions of any size are the sums of their definition (${arithmetic})`, () => {
    const frames = [
      [1, 8, 8, 2, 2, 0],
      [2, 9, 9, 2, 2, 0],
      [2, 5, 7, 3, 3, 1],
      [1, 3, 2, 3, 3, 1],
      [1, 6, 5, 3, 3, 3],
      [3, 1, 1, 1, 1, 0],
      [2, 6, 5, 1, 1, 2],
      [1, 1, 37, 1, 1, 0],
      [1, 8, 9, 5, 3, 2],
      [1, 9, 8, 4, 4, 1],
      [2, 7, 8, 7, 7, 3],
    ];
    const sizes = channelPairs.flatMap(([c, k]) =>
      frames.map(([n, h, w, kh, kw, p]): Size => [n, h, w, c, kh, kw, k, p])
    );
    holds(arithmetic, sizes, 2e-6);
  });

  Deno.test(`a critic's 2x2 convolutions, by Winograd's smallest tiles, are as exact as direct ones (${arithmetic})`, () => {
    const sizes: Size[] = [];
    for (const [c, k] of [[4, 8], [8, 4], [8, 16], [24, 8], [16, 40]]) {
      for (const [n, h, w] of [[1, 5, 5], [2, 9, 5], [3, 5, 13], [1, 33, 21], [2, 8, 9]]) {
        sizes.push([n, h, w, c, 2, 2, k, 0]);
      }
    }
    sizes.push([1, 9, 9, 128, 2, 2, 64, 0], [1, 17, 17, 64, 2, 2, 32, 0], [3, 33, 33, 8, 2, 2, 16, 0]);
    holds(arithmetic, sizes, 2e-6);
  });

  Deno.test(`convolutions by Winograd's tiles are within 2e-5 of their definition's maximum (${arithmetic})`, () => {
    const sizes: Size[] = [];
    for (const [c, k] of [[4, 8], [8, 4], [8, 8], [16, 8], [24, 32]]) {
      sizes.push(
        [1, 8, 8, c, 3, 3, k, 1],
        [2, 7, 8, c, 3, 3, k, 1],
        [3, 12, 10, c, 3, 3, k, 1],
        [1, 33, 21, c, 3, 3, k, 1],
        [1, 18, 18, c, 3, 3, k, 0],
        [2, 10, 14, c, 3, 3, k, 2],
        [1, 8, 8, c, 3, 3, k, 4],
      );
    }
    sizes.push([1, 16, 16, 128, 3, 3, 64, 1], [2, 7, 11, 64, 3, 3, 64, 1], [1, 64, 64, 8, 3, 3, 8, 1]);
    holds(arithmetic, sizes, 2e-5);
  });
}

Deno.test("an image's convolution has the same bits alone and within a batch", () => {
  const module = new Module("fma");
  for (
    const [side, filterSide, width, padding] of [
      [4, 3, 8, 1],
      [8, 3, 8, 1],
      [13, 3, 8, 1],
      [16, 3, 64, 1],
      [9, 2, 8, 1],
      [9, 2, 8, 0],
      [21, 2, 16, 0],
    ]
  ) {
    const given = problem([3, side, side, width, filterSide, filterSide, width, padding]);
    const [, ...rest] = given.size;
    const together = runAll(module, given);
    const part = (values: Float32Array, i: number) =>
      values.slice(i * values.length / 3, (i + 1) * values.length / 3);
    for (let i = 0; i < 3; i++) {
      const alone = runAll(module, {
        size: [1, ...rest],
        x: part(given.x, i),
        filter: given.filter,
        gradient: part(given.gradient, i),
      });
      deepStrictEqual(part(together.convForward, i), alone.convForward);
      deepStrictEqual(part(together.convBackpropInput, i), alone.convBackpropInput);
    }
  }
});

Deno.test("a convolution's two gradients are its adjoints", () => {
  const module = new Module("fma");
  const sum = (a: Float32Array, b: Float32Array) => a.reduce((total, v, i) => total + v * b[i], 0);
  const sizes: Size[] = [[2, 16, 16, 8, 3, 3, 16, 1], [1, 17, 9, 5, 2, 2, 3, 1], [2, 9, 17, 16, 2, 2, 8, 0]];
  for (const size of sizes) {
    const given = problem(size);
    const { convForward, convBackpropInput, convBackpropFilter } = runAll(module, given);
    const product = sum(convForward, given.gradient);
    const scale = Math.sqrt(sum(convForward, convForward) * sum(given.gradient, given.gradient));
    ok(Math.abs(product - sum(given.x, convBackpropInput)) < 1e-6 * scale);
    ok(Math.abs(product - sum(given.filter, convBackpropFilter)) < 1e-6 * scale);
  }
});

Deno.test("a NaN in an image stays within a filter's or a Winograd tile's reach", () => {
  const module = new Module("fma");
  for (const [channels, outputs, reach] of [[3, 2, 1], [3, 8, 1], [8, 8, 5]]) {
    const given = problem([1, 24, 24, channels, 3, 3, outputs, 1]);
    given.x[(12 * 24 + 12) * channels] = NaN;
    const { convForward } = runAll(module, given);
    convForward.forEach((value, i) => {
      const pixel = Math.floor(i / outputs);
      const distance = Math.max(Math.abs(Math.floor(pixel / 24) - 12), Math.abs(pixel % 24 - 12));
      ok(distance > reach ? Number.isFinite(value) : distance > 1 || Number.isNaN(value));
    });
  }
});
