import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { stream } from "../core/random.ts";
import { startBackend } from "../engine/backend.ts";
import { conv2d } from "../engine/ops.ts";
import { certificate, noisyCertificate, twoWayCertificate } from "../methods/certificate.ts";
import {
  clip,
  cycle,
  expectation,
  gradientNorms,
  gradientPenalty,
  leastSquares,
  leastSquaresCritic,
  wasserstein,
  weighted,
} from "../methods/losses.ts";
import { type Network, newVariable } from "../methods/networks/network.ts";
import { patchCritic } from "../methods/networks/patch_critic.ts";
import { fadingColumns } from "./toy_problem.ts";

await startBackend();

function normals(name: string, shape: [number, number, number, number]): tf.Tensor4D {
  const rng = stream(name);
  const size = shape.reduce((product, extent) => product * extent);
  return tf.tensor4d(Float32Array.from({ length: size }, () => rng.normal()), shape);
}

function near(actual: number, expected: number, relative = 1e-5): void {
  ok(Math.abs(actual - expected) <= relative * Math.abs(expected), `${actual}, not ${expected}`);
}

function value(scalar: () => tf.Scalar): number {
  return tf.tidy(() => scalar().dataSync()[0]);
}

/** φ with the map x·(a, b), pixel by pixel. */
function pixelwise(a: number, b: number): Network {
  const variable = newVariable(tf.tensor4d([a, b], [1, 1, 2, 1]));
  return {
    weights: [{ name: "ab", variable, trained: true }],
    apply: (x) => conv2d(x, variable),
    macs: () => 0,
    [Symbol.dispose]: () => variable.dispose(),
  };
}

/** A network that gives back a constant times what it is given. */
function scaling(factor: number): Network {
  return { weights: [], apply: (x) => tf.mul(x, factor), macs: () => 0, [Symbol.dispose]: () => {} };
}

Deno.test("gradientNorms() of a linear critic are its slope, the same everywhere", () => {
  using φ = pixelwise(3, 4);
  tf.tidy(() => {
    const x = normals("x", [2, 4, 5, 2]);
    // The mean of 20 pixels with gradient (3, 4)/20 each: √20·5/20. The sum: √20·5.
    for (const norm of gradientNorms(φ, x).dataSync()) near(norm, 5 / Math.sqrt(20));
    for (const norm of gradientNorms(φ, x, "sum").dataSync()) near(norm, 5 * Math.sqrt(20));
  });
});

Deno.test("gradientPenalty() of a linear critic is the squared distance of its slope from 1", () => {
  using φ = pixelwise(3, 4);
  tf.tidy(() => {
    const [real, fake] = [normals("real", [2, 4, 5, 2]), normals("fake", [2, 4, 5, 2])];
    const α = tf.tensor4d([0.2, 0.9], [2, 1, 1, 1]);
    near(gradientPenalty(φ, real, fake, α).dataSync()[0], (5 / Math.sqrt(20) - 1) ** 2);
    near(gradientPenalty(φ, real, fake, α, "sum").dataSync()[0], (5 * Math.sqrt(20) - 1) ** 2);
  });
});

Deno.test("gradientPenalty() looks between the images, at α of the way from the fake to the real one", () => {
  // φ(x) = mean x², so ∇φ = 2x/n, and with constant images its norm says where it was taken.
  const φ: Network = { ...scaling(1), apply: (x) => tf.square(x) };
  tf.tidy(() => {
    const real = tf.fill<tf.Rank.R4>([1, 2, 2, 1], 7);
    const fake = tf.fill<tf.Rank.R4>([1, 2, 2, 1], 3);
    const penalty = gradientPenalty(φ, real, fake, tf.tensor4d([0.75], [1, 1, 1, 1])).dataSync()[0];
    const at = 0.75 * 7 + 0.25 * 3;
    near(penalty, (2 * at / 4 * Math.sqrt(4) - 1) ** 2);
  });
});

Deno.test("a whole critic's gradient penalty has the value and the derivatives of a composition of stock ops", async () => {
  const shape: [number, number, number, number] = [2, 12, 20, 2];
  using φ = patchCritic({ channels: 2, width: 3, layers: 2 }, stream("critic"));
  const filters = φ.weights.map(({ variable }) => ({
    shape: variable.shape,
    data: variable.dataSync().slice(),
  }));
  const own = tf.tidy(() => {
    const [real, fake] = [normals("real", shape), normals("fake", shape)];
    const α = tf.tensor4d([0.3, 0.8], [2, 1, 1, 1]);
    const { value, grads } = tf.variableGrads(() => gradientPenalty(φ, real, fake, α));
    return {
      value: value.dataSync()[0],
      gradients: φ.weights.map(({ variable }) => grads[variable.name].dataSync().slice()),
    };
  });

  const name = tf.getBackend();
  await tf.setBackend("cpu");
  try {
    tf.tidy(() => {
      const real = tf.split(normals("real", shape), 2);
      const fake = tf.split(normals("fake", shape), 2);
      const penalty = (...filters: tf.Tensor[]) => {
        const [one, other] = [0.3, 0.8].map((α, image) => {
          const between = tf.add(tf.mul(real[image], α), tf.mul(fake[image], 1 - α));
          const slope = tf.grad((x) => stockCritic(x, filters))(tf.reshape(between, [12 * 20, 2]));
          return tf.square(tf.sub(tf.sqrt(tf.sum(tf.square(slope))), 1));
        });
        return tf.div(tf.add(one, other), 2);
      };
      const tensors = filters.map(({ shape, data }) => tf.tensor(data, shape));
      near(own.value, penalty(...tensors).dataSync()[0], 1e-4);
      tf.grads(penalty)(tensors).forEach((expected, index) => {
        const data = expected.dataSync();
        const largest = Math.max(...data.map(Math.abs));
        const error = Math.max(...data.map((value, i) => Math.abs(value - own.gradients[index][i])));
        ok(largest > 0 && error < 1e-4 * largest, `filter ${index} is wrong by ${error} of ${largest}`);
      });
    });
  } finally {
    await tf.setBackend(name);
  }
});

/**
 * The critic of two strided layers for one image of 12x20, pixels by channels, of nothing but products with
 * constant matrices and elementwise ops.
 */
function stockCritic(x: tf.Tensor, [first, second, last]: readonly tf.Tensor[]): tf.Tensor {
  const leaky = (x: tf.Tensor) => tf.mul(x, tf.tensor(x.dataSync().map((v) => v > 0 ? 1 : 0.2), x.shape));
  const normalised = (x: tf.Tensor) => {
    const centred = tf.sub(x, tf.mean(x, 0, true));
    return tf.div(centred, tf.sqrt(tf.add(tf.mean(tf.square(centred), 0, true), 1e-5)));
  };
  const one = leaky(stockConvolution(x, first, [12, 20], 2));
  const two = leaky(normalised(stockConvolution(one, second, [6, 10], 2)));
  return tf.mean(stockConvolution(two, last, [3, 5], 1));
}

/** A convolution with padding 1 as a sum over the filter's taps: a matrix that picks pixels, times x, times the tap. */
function stockConvolution(
  x: tf.Tensor,
  filter: tf.Tensor,
  [height, width]: number[],
  stride: number,
): tf.Tensor {
  const [size, , inputs, outputs] = filter.shape;
  const [rows, columns] = [(height + 2 - size) / stride + 1, (width + 2 - size) / stride + 1].map(Math.floor);
  const taps = Array.from({ length: size * size }, (_, tap) => {
    const [up, left] = [Math.floor(tap / size) - 1, tap % size - 1];
    const picks = tf.buffer([rows * columns, height * width]);
    for (let pixel = 0; pixel < rows * columns; pixel++) {
      const row = Math.floor(pixel / columns) * stride + up;
      const column = pixel % columns * stride + left;
      if (row >= 0 && row < height && column >= 0 && column < width) {
        picks.set(1, pixel, row * width + column);
      }
    }
    const weights = tf.slice(tf.reshape(filter, [size * size, inputs, outputs]), [tap, 0, 0], [
      1,
      inputs,
      outputs,
    ]);
    return tf.matMul(
      tf.matMul(picks.toTensor() as tf.Tensor2D, x as tf.Tensor2D),
      tf.reshape(weights, [inputs, outputs]),
    );
  });
  return taps.reduce((sum, tap) => tf.add(sum, tap));
}

Deno.test("the critics' losses are the papers', worked out for a linear critic", () => {
  using φ = pixelwise(1, 0);
  tf.tidy(() => {
    const real = tf.tensor4d([2, 9, 4, 9], [1, 1, 2, 2]);
    const fake = tf.tensor4d([1, 9, -1, 9], [1, 1, 2, 2]);
    strictEqual(value(() => expectation(φ, real)), 3);
    // −(E φ(real) − E φ(fake))
    strictEqual(value(() => wasserstein(φ, real, fake)), -3);
    // ((2 − 1)² + (4 − 1)²) / 2 and (1² + (−1)²) / 2
    strictEqual(value(() => leastSquares(φ, real, 1)), 5);
    strictEqual(value(() => leastSquares(φ, fake, 0)), 1);
    strictEqual(value(() => leastSquaresCritic(φ, real, fake)), 3);
  });
});

Deno.test("a Wasserstein critic that steps down its loss tells real from fake better", () => {
  using φ = pixelwise(0.1, 0.1);
  tf.tidy(() => {
    const real = tf.fill<tf.Rank.R4>([1, 4, 4, 2], 1);
    const fake = tf.fill<tf.Rank.R4>([1, 4, 4, 2], -1);
    const gap = () => value(() => tf.sub(expectation(φ, real), expectation(φ, fake)));
    const before = gap();
    const { grads } = tf.variableGrads(() => wasserstein(φ, real, fake));
    const { variable } = φ.weights[0];
    variable.assign(tf.sub(variable, tf.mul(grads[variable.name], 0.1)));
    ok(gap() > before);
  });
});

Deno.test("cycle() is the sum of two mean absolute differences", () => {
  tf.tidy(() => {
    const [x, xBack] = [tf.tensor1d([1, 2]), tf.tensor1d([2, 0])];
    const [y, yBack] = [tf.tensor1d([1, 1, 1, 1]), tf.tensor1d([1, 1, 1, 3])];
    strictEqual(value(() => cycle(x, xBack, y, yBack)), 1.5 + 0.5);
  });
});

Deno.test("weighted() adds up weighted terms, and leaves out those of weight 0 though they are not finite", () => {
  const sum = () => weighted([2, tf.scalar(3)], [1, tf.scalar(4)], [-1, tf.scalar(1)], [0, tf.scalar(NaN)]);
  strictEqual(value(sum), 9);
});

Deno.test("clip() moves trained weights into their bounds, and no others", () => {
  using critic = patchCritic({ channels: 1, width: 2, layers: 1, spectral: true }, stream("critic"));
  const state = critic.weights.filter(({ trained }) => !trained).map((
    { variable },
  ) => [...variable.dataSync()]);
  const before = critic.weights[0].variable.dataSync().slice();
  clip(critic, 0.1);
  critic.weights[0].variable.dataSync().forEach((value, i) => {
    strictEqual(value, Math.max(-Math.fround(0.1), Math.min(Math.fround(0.1), before[i])));
  });
  ok(before.some((value) => Math.abs(value) > 0.1));
  deepStrictEqual(
    critic.weights.filter(({ trained }) => !trained).map(({ variable }) => [...variable.dataSync()]),
    state,
  );
});

Deno.test("the certificate is half of both cycle terms, worked out for a generator that scales", () => {
  using φ = pixelwise(3, 4);
  tf.tidy(() => {
    const A = { ...fadingColumns(), forward: (x: tf.Tensor) => tf.mul(x, 0.5) };
    const x = tf.fill<tf.Rank.R4>([2, 4, 4, 2], 8);
    const y = tf.fill<tf.Rank.R4>([2, 4, 4, 2], 1);
    const got = certificate(scaling(3), φ, { x, y, A, see: (y) => y as tf.Tensor4D });
    const read = Object.fromEntries(
      Object.entries(got).map(([name, scalar]) => [name, scalar.dataSync()[0]]),
    );
    // G(Ax) = 12 for x = 8, A G(y) = 1.5 for y = 1; 32 values an image.
    strictEqual(read["cycle-image"], 4);
    strictEqual(read["cycle-measurement"], 0.5);
    strictEqual(read["certificate-mean-absolute"], 2.25);
    near(read.certificate, 2.25 * Math.sqrt(32));
    near(read["critic-gradient"], 5 / Math.sqrt(16));
  });
});

Deno.test("the certificate is the mean of whole images' Euclidean distances, worked out for right triangles", () => {
  using φ = pixelwise(1, 1);
  tf.tidy(() => {
    const A = { ...fadingColumns(), forward: (x: tf.Tensor) => tf.mul(x, 0.5) };
    const batchOf = (...images: readonly (readonly number[])[]) =>
      tf.tensor4d(images.flatMap((image) => [...image, ...Array(8 - image.length).fill(0)]), [2, 2, 2, 2]);
    // Once around multiplies by 1.5, so what is missing is half of each: (3, 4) and 0; 1 and (5, 12).
    const x = batchOf([6, 8], []);
    const y = batchOf([2], [10, 24]);
    const got = certificate(scaling(3), φ, { x, y, A, see: (y) => y as tf.Tensor4D });
    near(got.certificate.dataSync()[0], ((5 + 0) / 2 + (1 + 13) / 2) / 2);
    near(got["certificate-mean-absolute"].dataSync()[0], (7 / 16 + 18 / 16) / 2);
  });
});

Deno.test("a critic of slope 1 changes around the cycle by no more than the certificate says, and may by as much", () => {
  // On 4 x 4 pixels the slope is ‖(a, b)‖/√16.
  using φ = pixelwise(2.4, 3.2);
  tf.tidy(() => {
    const A = { ...fadingColumns(), forward: (x: tf.Tensor) => tf.mul(x, 0.5) };
    const y = tf.zeros<tf.Rank.R4>([1, 4, 4, 2]);
    const changeAndBound = (x: tf.Tensor4D) => {
      const got = certificate(scaling(3), φ, { x, y, A, see: (y) => y as tf.Tensor4D });
      near(got["critic-gradient"].dataSync()[0], 1);
      const change = tf.abs(tf.sub(expectation(φ, tf.mul(x, 1.5)), expectation(φ, x)));
      // Of y nothing is missing, so ½·ℓ_cycle is half of the distance of x.
      return [change.dataSync()[0], 2 * got.certificate.dataSync()[0]];
    };
    const [change, bound] = changeAndBound(normals("x", [1, 4, 4, 2]));
    ok(change <= bound, `${change}, above ${bound}`);
    const [most, tight] = changeAndBound(tf.tile(tf.tensor4d([0.6, 0.8], [1, 1, 1, 2]), [1, 4, 4, 1]));
    near(most, tight);
  });
});

Deno.test("where F is learned, its certificate has both cycles, and the steeper of both critics", () => {
  using φ = pixelwise(3, 4);
  using ψ = pixelwise(6, 8);
  tf.tidy(() => {
    const x = tf.fill<tf.Rank.R4>([2, 4, 4, 2], 8);
    const y = tf.fill<tf.Rank.R4>([2, 4, 4, 2], 1);
    const F = (image: tf.Tensor4D) => tf.mul<tf.Tensor4D>(image, 0.5);
    const batch = { x, y, A: undefined, see: (y: tf.Tensor) => tf.mul<tf.Tensor4D>(y, 2) };
    const got = twoWayCertificate({ G: scaling(3), F, φ, ψ }, batch);
    // G(F(x)) = 12 for x = 8; what is seen of y is 2, and F(G(2)) = 3.
    strictEqual(got["cycle-image"].dataSync()[0], 4);
    strictEqual(got["cycle-measurement"].dataSync()[0], 1);
    near(got.certificate.dataSync()[0], 2.5 * Math.sqrt(32));
    near(got["critic-gradient"].dataSync()[0], 10 / Math.sqrt(16));
  });
});

Deno.test("the certificate of an exact inverse is 0", () => {
  using φ = pixelwise(1, 1);
  tf.tidy(() => {
    const A = { ...fadingColumns(), forward: (x: tf.Tensor) => tf.mul(x, 0.5) };
    const batch = { x: normals("x", [1, 4, 4, 2]), y: normals("y", [1, 4, 4, 2]) };
    const got = certificate(scaling(2), φ, { ...batch, A, see: (y) => y as tf.Tensor4D });
    strictEqual(got.certificate.dataSync()[0], 0);
    strictEqual(got["certificate-mean-absolute"].dataSync()[0], 0);
  });
});

Deno.test("with a camera's noise the certificate has the critics of images and of measurements, of which the steeper counts", () => {
  using φ = pixelwise(3, 4);
  using ψ = pixelwise(6, 8);
  tf.tidy(() => {
    const A = { ...fadingColumns(), forward: (x: tf.Tensor) => tf.mul(x, 0.5) };
    const x = tf.fill<tf.Rank.R4>([2, 4, 4, 2], 8);
    const y = tf.fill<tf.Rank.R4>([2, 4, 4, 2], 1);
    const random = {
      uniform: () => y,
      normal: (shape: readonly [number, number, number, number]) => tf.ones<tf.Rank.R4>([...shape]),
    };
    const noise = { settings: {}, add: (a: tf.Tensor4D, b: tf.Tensor4D) => tf.add<tf.Tensor4D>(a, b) };
    const batch = { x, y, A, noise, random, see: (y: tf.Tensor) => y as tf.Tensor4D };
    const got = noisyCertificate({ G: scaling(3), φ, ψ }, A, batch);
    // G(Ax + 1) = 15 for x = 8, and A G(y) = 1.5 for y = 1, in which there is no noise of ours.
    strictEqual(got["cycle-image"].dataSync()[0], 7);
    strictEqual(got["cycle-measurement"].dataSync()[0], 0.5);
    near(got.certificate.dataSync()[0], 3.75 * Math.sqrt(32));
    near(got["critic-gradient"].dataSync()[0], 10 / Math.sqrt(16));
    near(noisyCertificate({ G: scaling(3), φ }, A, batch)["critic-gradient"].dataSync()[0], 5 / 4);
  });
});
