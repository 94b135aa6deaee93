import { deepStrictEqual, notDeepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { standardDeviation } from "../core/image.ts";
import { stream } from "../core/random.ts";
import { startBackend } from "../engine/backend.ts";
import { resolve } from "../core/settings.ts";
import { generator, generatorSettings } from "../methods/generator.ts";
import { fanIn, Filters, he, type Network, normal, parameters } from "../methods/networks/network.ts";
import { patchCritic } from "../methods/networks/patch_critic.ts";
import { unet, type UNetOptions } from "../methods/networks/unet.ts";

await startBackend();

const options: UNetOptions = { inputChannels: 2, outputChannels: 2, width: 4, levels: 2 };

function image(shape: [number, number, number, number], name = "image"): tf.Tensor4D {
  const rng = stream(name);
  const size = shape.reduce((product, extent) => product * extent);
  return tf.tensor4d(Float32Array.from({ length: size }, () => rng.normal()), shape);
}

function close(a: tf.Tensor, b: tf.Tensor, tolerance: number): void {
  deepStrictEqual(a.shape, b.shape);
  const difference = tf.tidy(() => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]);
  ok(difference <= tolerance, `differs by ${difference}`);
}

function values(network: Network): number[][] {
  return network.weights.map(({ variable }) => [...variable.dataSync()]);
}

Deno.test("a U-Net has the parameters and multiply-adds that were counted by hand", () => {
  using network = unet({ ...options, inputChannels: 2, outputChannels: 1 }, stream("unet"));
  // Going down 2→4→4 | 4→8→8 | 8→16→16, going up (8+16)→8→8 | (4+8)→4→4, all 3x3; then 4→1, 1x1.
  const [first, second, bottom] = [9 * (2 * 4 + 4 * 4), 9 * (4 * 8 + 8 * 8), 9 * (8 * 16 + 16 * 16)];
  const [secondUp, firstUp, last] = [9 * (24 * 8 + 8 * 8), 9 * (12 * 4 + 4 * 4), 4];
  strictEqual(parameters(network), first + second + bottom + secondUp + firstUp + last);
  strictEqual(
    network.macs([16, 8, 2]),
    128 * (first + firstUp + last) + 32 * (second + secondUp) + 8 * bottom,
  );
});

Deno.test("a U-Net that pads an odd size counts the padded pixels", () => {
  using network = unet(options, stream("unet"));
  strictEqual(network.macs([13, 5, 2]), network.macs([16, 8, 2]));
});

Deno.test("a critic has the parameters and multiply-adds that were counted by hand", () => {
  using critic = patchCritic({ channels: 2, width: 4, layers: 2 }, stream("critic"));
  const [first, second, last] = [16 * 2 * 4, 16 * 4 * 8, 9 * 8];
  strictEqual(parameters(critic), first + second + last);
  // 18x13 is halved to 9x6 and 4x3.
  strictEqual(critic.macs([18, 13, 2]), 54 * first + 12 * second + 12 * last);
  const map = critic.apply(image([3, 18, 13, 2]));
  deepStrictEqual(map.shape, [3, 4, 3, 1]);
});

Deno.test("a U-Net keeps the size of images of any size, for each way of pooling", () => {
  for (const pool of ["average", "max"] as const) {
    using network = unet({ ...options, outputChannels: 3, pool }, stream("unet"));
    for (const [height, width] of [[16, 16], [13, 18], [5, 7], [1, 1]]) {
      tf.tidy(() => {
        const output = network.apply(image([2, height, width, 2]));
        deepStrictEqual(output.shape, [2, height, width, 3]);
        ok(output.dataSync().every(Number.isFinite));
      });
    }
  }
});

Deno.test("a U-Net gives for an odd size what it gives for the same image among zeros, cropped", () => {
  using network = unet(options, stream("unet"));
  tf.tidy(() => {
    const odd = image([1, 13, 18, 2]);
    const padded = tf.pad(odd, [[0, 0], [1, 2], [1, 1], [0, 0]]);
    close(network.apply(odd), tf.slice(network.apply(padded), [0, 1, 1, 0], [1, 13, 18, 2]), 0);
  });
});

Deno.test("a U-Net's gradient for an odd size is that for the same image among zeros, cropped", () => {
  using network = unet(options, stream("unet"));
  tf.tidy(() => {
    const odd = image([1, 13, 18, 2]);
    const padded = tf.pad(odd, [[0, 0], [1, 2], [1, 1], [0, 0]]);
    const own = tf.variableGrads(() => tf.mean(tf.square(network.apply(odd)))).grads;
    const expected = tf.variableGrads(() =>
      tf.mean(tf.square(tf.slice(network.apply(padded), [0, 1, 1, 0], [1, 13, 18, 2])))
    ).grads;
    for (const { variable } of network.weights) {
      close(own[variable.name], expected[variable.name], 1e-6);
    }
  });
});

Deno.test("a U-Net treats the images of a batch one by one", () => {
  using network = unet(options, stream("unet"));
  tf.tidy(() => {
    const [a, b] = [image([1, 8, 8, 2], "a"), image([1, 8, 8, 2], "b")];
    close(network.apply(tf.concat([a, b])), tf.concat([network.apply(a), network.apply(b)]), 1e-6);
  });
});

Deno.test("a residual U-Net gives its input plus what the same plain U-Net gives", () => {
  using plain = unet(options, stream("unet"));
  using residual = unet({ ...options, residual: true }, stream("unet"));
  tf.tidy(() => {
    const x = image([1, 10, 12, 2]);
    close(residual.apply(x), tf.add(x, plain.apply(x)), 1e-6);
  });
});

Deno.test("a residual U-Net whose last layer starts at 0 is the identity", () => {
  using network = unet({ ...options, residual: true, lastScale: 0 }, stream("unet"));
  tf.tidy(() => {
    const x = image([1, 9, 8, 2]);
    close(network.apply(x), x, 0);
  });
});

Deno.test("a U-Net with instance norm ignores its input's scale, and one without does not", () => {
  tf.tidy(() => {
    const x = image([1, 8, 8, 2]);
    for (const norm of [true, false]) {
      using network = unet({ ...options, norm }, stream("unet"));
      const [once, tenfold] = [network.apply(x), network.apply(tf.mul(x, 10))];
      close(tenfold, norm ? once : tf.mul(once, 10), 1e-3);
    }
  });
});

Deno.test("a residual U-Net refuses to add images of different channels", () => {
  throws(
    () => unet({ ...options, outputChannels: 1, residual: true }, stream("unet")),
    /set residual to false/,
  );
});

Deno.test("weights depend on their network's stream and on their name, and on nothing else", () => {
  using a = unet(options, stream("one"));
  using same = unet(options, stream("one"));
  using other = unet(options, stream("two"));
  using wider = unet({ ...options, outputChannels: 5 }, stream("one"));
  deepStrictEqual(values(a), values(same));
  notDeepStrictEqual(values(a), values(other));
  deepStrictEqual(values(a).slice(0, -1), values(wider).slice(0, -1));
});

Deno.test("filters start with the deviation that their initialiser says", () => {
  const rng = stream("deviation");
  // He: √(2 / ((1 + 0.2²)·fan-in)) with fan-in 3·3·16.
  for (
    const [initialise, expected] of [[fanIn(), 1 / Math.sqrt(3 * 144)], [
      he(0.2),
      Math.sqrt(2 / (1.04 * 144)),
    ], [normal(0.02), 0.02]] as const
  ) {
    const filters = new Filters(rng, initialise);
    const variable = filters.add("filter", [3, 3, 16, 64]);
    const deviation = standardDeviation(variable.dataSync());
    variable.dispose();
    // 9216 draws: a standard error of 0.7 %.
    ok(Math.abs(deviation / expected - 1) < 0.03, `${deviation} for ${expected}`);
  }
});

Deno.test("networks give back all their memory", () => {
  const before = tf.memory().numTensors;
  {
    using _generator = unet(options, stream("unet"));
    using _critic = patchCritic({ channels: 2, width: 4, layers: 2, spectral: true }, stream("critic"));
    ok(tf.memory().numTensors > before);
  }
  strictEqual(tf.memory().numTensors, before);
});

Deno.test("a spectral critic's filters have norm 1 once power iteration has settled", () => {
  using critic = patchCritic(
    { channels: 2, width: 4, layers: 2, spectral: true, norm: false },
    stream("critic"),
  );
  using plain = patchCritic({ channels: 2, width: 4, layers: 2, norm: false }, stream("critic"));
  for (let i = 0; i < 300; i++) critic.settle!();
  // Leaky ReLUs are homogeneous, so without norms the whole critic shrinks by the product of the spectral norms.
  const product = plain.weights.map(({ variable }) => largestSingularValue(variable)).reduce((a, b) => a * b);
  tf.tidy(() => {
    const x = image([1, 16, 16, 2]);
    const expected = tf.div(plain.apply(x), product);
    close(critic.apply(x), expected, 1e-4 * tf.max(tf.abs(expected)).dataSync()[0]);
  });
});

Deno.test("a spectral critic's norms follow weights that have moved", () => {
  using critic = patchCritic(
    { channels: 2, width: 4, layers: 1, spectral: true, norm: false },
    stream("critic"),
  );
  const [filter, last] = critic.weights;
  tf.tidy(() => filter.variable.assign(image([4, 4, 2, 4], "moved")));
  const x = image([1, 16, 16, 2]);
  const size = () => tf.tidy(() => tf.max(tf.abs(critic.apply(x))).dataSync()[0]);
  for (let i = 0; i < 300; i++) critic.settle!();
  const settled = size();
  using plain = patchCritic({ channels: 2, width: 4, layers: 1, norm: false }, stream("critic"));
  tf.tidy(() => plain.weights[0].variable.assign(filter.variable));
  const expected = tf.tidy(() => tf.max(tf.abs(plain.apply(x))).dataSync()[0]) /
    (largestSingularValue(filter.variable) * largestSingularValue(last.variable));
  ok(Math.abs(settled / expected - 1) < 1e-4, `${settled} for ${expected}`);
  x.dispose();
});

Deno.test("a spectral critic's singular vectors are weights that no loss trains", () => {
  using critic = patchCritic({ channels: 2, width: 4, layers: 2, spectral: true }, stream("critic"));
  using plain = patchCritic({ channels: 2, width: 4, layers: 2 }, stream("critic"));
  strictEqual(parameters(critic), parameters(plain));
  deepStrictEqual(critic.weights.filter(({ trained }) => !trained).map(({ variable }) => variable.shape), [
    [4, 1],
    [8, 1],
    [1, 1],
  ]);
});

/** √ of the largest eigenvalue of WᵀW, W the filter as a matrix, by plain power iteration in float64. */
function largestSingularValue(filter: tf.Tensor): number {
  const columns = filter.shape[filter.rank - 1];
  const rows = filter.size / columns;
  const w = filter.dataSync();
  let v = Array.from({ length: columns }, (_, i) => 1 + 0.1 * i);
  let value = 0;
  for (let iteration = 0; iteration < 500; iteration++) {
    const forward = Array.from(
      { length: rows },
      (_, r) => v.reduce((sum, vc, c) => sum + w[r * columns + c] * vc, 0),
    );
    const back = v.map((_, c) => forward.reduce((sum, fr, r) => sum + w[r * columns + c] * fr, 0));
    value = Math.hypot(...back);
    v = back.map((b) => b / value);
  }
  return Math.sqrt(value);
}

Deno.test("a rectified generator is 0 where it would be negative, and a twentieth of that while it learns", () => {
  const set = resolve(generatorSettings, { width: 4, levels: 1, residual: false, norm: false }, "test");
  const x = image([2, 8, 8, 1]);
  const made = (rectified: boolean) =>
    generator({ ...set, rectified }, [8, 8, 1], [8, 8, 1], stream("rectified"));
  using plain = made(false);
  using network = made(true);
  const output = plain.apply(x);
  strictEqual(plain.infer, undefined);
  close(network.infer!(x), tf.relu(output), 0);
  close(network.apply(x), tf.sub(tf.relu(output), tf.mul(tf.relu(tf.neg(output)), 0.05)), 1e-7);
});

Deno.test("a rectified generator that gives nothing but 0 learns to give more", () => {
  const set = resolve(generatorSettings, {
    width: 4,
    levels: 1,
    residual: false,
    norm: false,
    rectified: true,
  }, "test");
  using network = generator(set, [8, 8, 1], [8, 8, 1], stream("dead"));
  const last = network.weights.at(-1)!.variable;
  // Features of one sign, and weights of the other.
  const x = tf.ones<tf.Rank.R4>([1, 8, 8, 1]);
  for (const { variable } of network.weights) tf.tidy(() => variable.assign(tf.abs(variable)));
  tf.tidy(() => last.assign(tf.neg(last)));
  strictEqual(Math.abs(tf.max(network.infer!(x)).dataSync()[0]), 0);
  const { grads } = tf.variableGrads(() => tf.mean(network.apply(x)), [last as tf.Variable]);
  ok(tf.min(grads[last.name]).dataSync()[0] > 0);
});
