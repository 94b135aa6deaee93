/** Networks, losses and whole methods on volumes. */

import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { sizeOf } from "../core/image.ts";
import { sha256 } from "../core/json.ts";
import { stream } from "../core/random.ts";
import { resolve } from "../core/settings.ts";
import { startBackend } from "../engine/backend.ts";
import { replayCounts } from "../engine/replay.ts";
import { critic, criticSettings } from "../methods/critic.ts";
import { cycleGan } from "../methods/cyclegan.ts";
import { generator, generatorSettings } from "../methods/generator.ts";
import { gradientNorms, gradientPenalty } from "../methods/losses.ts";
import type { Batch, Method, Problem } from "../methods/method.ts";
import { highPass } from "../methods/networks/high_pass.ts";
import { type Network, parameters } from "../methods/networks/network.ts";
import { patchCritic } from "../methods/networks/patch_critic.ts";
import { inPieces } from "../methods/networks/pieces.ts";
import { unet, type UNetOptions } from "../methods/networks/unet.ts";
import { otCycleGan } from "../methods/ot_cyclegan.ts";
import { otCycleGanUnknownOperator } from "../methods/ot_cyclegan_unknown_operator.ts";
import { redCnn } from "../methods/red_cnn.ts";
import { noiseMatching } from "../methods/noise_matching.ts";
import { otCycleGanSpectralNorm } from "../methods/ot_cyclegan_spectral_norm.ts";
import { ImagePool } from "../methods/pool.ts";
import { supervised } from "../methods/supervised.ts";
import { wgan } from "../methods/wgan.ts";
import type { Operator } from "../physics/operator.ts";
import { assertClose, read } from "./engine_op_cases.ts";
import { small } from "./toy_problem.ts";

await startBackend();

const options: UNetOptions = { dimensions: 3, inputChannels: 2, outputChannels: 2, width: 4, levels: 2 };

/** A batch of volumes, which the contracts call a batch like any other. */
function volume(shape: readonly number[], name = "volume"): tf.Tensor4D {
  const rng = stream(name);
  const values = Float32Array.from({ length: sizeOf(shape) }, () => rng.normal());
  return tf.tensor(values, [...shape]) as tf.Tensor as tf.Tensor4D;
}

function largest(a: tf.Tensor, b: tf.Tensor): number {
  deepStrictEqual(a.shape, b.shape);
  return tf.tidy(() => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0]);
}

Deno.test("a U-Net of volumes has the parameters and multiply-adds that were counted by hand", () => {
  using network = unet({ ...options, inputChannels: 1, outputChannels: 1 }, stream("unet"));
  // Going down 1→4→4 | 4→8→8 | 8→16→16, going up (8+16)→8→8 | (4+8)→4→4, all 3x3x3; then 4→1, 1x1x1.
  const [first, second, bottom] = [27 * (1 * 4 + 4 * 4), 27 * (4 * 8 + 8 * 8), 27 * (8 * 16 + 16 * 16)];
  const [secondUp, firstUp, last] = [27 * (24 * 8 + 8 * 8), 27 * (12 * 4 + 4 * 4), 4];
  strictEqual(parameters(network), first + second + bottom + secondUp + firstUp + last);
  const macs = 512 * (first + firstUp + last) + 64 * (second + secondUp) + 8 * bottom;
  strictEqual(network.macs([4, 16, 8, 1]), macs);
  strictEqual(network.macs([3, 13, 5, 1]), macs);
});

Deno.test("a critic of volumes has the parameters and multiply-adds that were counted by hand", () => {
  using critic = patchCritic({ dimensions: 3, channels: 2, width: 4, layers: 2 }, stream("critic"));
  const [first, second, last] = [64 * 2 * 4, 64 * 4 * 8, 27 * 8];
  strictEqual(parameters(critic), first + second + last);
  // 5x18x13 is halved to 2x9x6 and 1x4x3.
  strictEqual(critic.macs([5, 18, 13, 2]), 108 * first + 12 * second + 12 * last);
  tf.tidy(() => deepStrictEqual(critic.apply(volume([2, 5, 18, 13, 2])).shape, [2, 1, 4, 3, 1]));
});

Deno.test("a U-Net keeps the size of volumes of any size, for each way of pooling", () => {
  for (const pool of ["average", "max"] as const) {
    using network = unet({ ...options, outputChannels: 3, pool }, stream("unet"));
    for (const extents of [[8, 8, 8], [5, 9, 6], [1, 7, 2], [1, 1, 1]]) {
      tf.tidy(() => {
        const output = network.apply(volume([2, ...extents, 2]));
        deepStrictEqual(output.shape, [2, ...extents, 3] as number[]);
        ok(output.dataSync().every(Number.isFinite));
      });
    }
  }
});

Deno.test("a U-Net gives for an odd volume what it gives for the same among zeros, cropped", () => {
  using network = unet(options, stream("unet"));
  tf.tidy(() => {
    const odd = volume([1, 7, 9, 6, 2]);
    const padded = tf.pad(odd, [[0, 0], [0, 1], [1, 2], [1, 1], [0, 0]]);
    const cropped = tf.slice(network.apply(padded), [0, 0, 1, 1, 0], odd.shape);
    strictEqual(largest(network.apply(odd), cropped), 0);
  });
});

Deno.test("a U-Net of volumes has no preferred axis: with turned filters it gives the turned volume", () => {
  using network = unet({ ...options, norm: false }, stream("unet"));
  const x = volume([1, 8, 4, 12, 2]);
  const plain = network.apply(x);
  for (const { variable } of network.weights) {
    const [side, , stacked, outputs] = variable.shape;
    if (side === 1) continue;
    // [height, width, depth, in, out], the first and the third exchanged.
    const split = tf.reshape(variable, [side, side, side, stacked / side, outputs]);
    variable.assign(tf.reshape(tf.transpose(split, [2, 1, 0, 3, 4]), variable.shape));
  }
  tf.tidy(() => {
    const turned = network.apply(tf.transpose(x, [0, 2, 1, 3, 4]));
    const scale = tf.max(tf.abs(plain)).dataSync()[0];
    ok(largest(tf.transpose(turned, [0, 2, 1, 3, 4]), plain) < 1e-5 * scale);
  });
  tf.dispose([x, plain]);
});

/** A convolution of volumes as one matrix product of all patches, which are cut out by slices; our filters. */
function patchProduct(x: tf.Tensor, filter: tf.Tensor, side: number, stride: number): tf.Tensor {
  const [n, ...extents] = x.shape;
  const channels = extents.pop()!;
  const outputs = filter.shape[3]!;
  const steps = extents.map((extent) => Math.floor((extent + 2 - side) / stride) + 1);
  const padded = tf.pad(x, [[0, 0], [1, 1], [1, 1], [1, 1], [0, 0]]);
  const patches: tf.Tensor[] = [];
  for (let z = 0; z < steps[0]; z++) {
    for (let y = 0; y < steps[1]; y++) {
      for (let column = 0; column < steps[2]; column++) {
        const corner = [0, z * stride, y * stride, column * stride, 0];
        const patch = tf.slice(padded, corner, [n, side, side, side, channels]);
        patches.push(tf.reshape(tf.transpose(patch, [0, 2, 3, 1, 4]), [n, 1, side ** 3 * channels]));
      }
    }
  }
  const rows = tf.reshape(tf.concat(patches, 1), [n * patches.length, side ** 3 * channels]) as tf.Tensor2D;
  return tf.reshape(tf.matMul(rows, tf.reshape(filter, [-1, outputs]) as tf.Tensor2D), [
    n,
    ...steps,
    outputs,
  ]);
}

for (const settings of [{ name: "wasm" }, { name: "wasm", portable: true }, { name: "cpu" }]) {
  Deno.test(`a critic's gradient penalty on volumes is that of a critic made of stock ops, with its derivatives (${JSON.stringify(settings)})`, async () => {
    const shape = [2, 6, 8, 4, 2];
    using critic = patchCritic({ dimensions: 3, channels: 2, width: 3, layers: 2 }, stream("critic"));
    const filters = await Promise.all(critic.weights.map(({ variable }) => variable.array()));
    const α = [0.2, 0.9];

    await startBackend({ name: "cpu" });
    const expected = await read(tf.tidy(() => {
      const [real, fake] = [volume(shape, "real"), volume(shape, "fake")];
      const leaky = (x: tf.Tensor) => tf.add(tf.mul(tf.relu(x), 0.8), tf.mul(x, 0.2));
      const judge = (x: tf.Tensor, [first, second, last]: tf.Tensor[]) => {
        const features = patchProduct(leaky(patchProduct(x, first, 4, 2)), second, 4, 2);
        const centred = tf.sub(features, tf.mean(features, [1, 2, 3], true));
        const variance = tf.mean(tf.square(centred), [1, 2, 3], true);
        return patchProduct(leaky(tf.div(centred, tf.sqrt(tf.add(variance, 1e-5)))), last, 3, 1);
      };
      const between = tf.add(fake, tf.mul(tf.tensor(α, [2, 1, 1, 1, 1]), tf.sub(real, fake)));
      const penalty = (...filters: tf.Tensor[]): tf.Scalar => {
        const slope = tf.grad((x) => tf.mul(tf.sum(judge(x, filters)), 1 / (1 * 2 * 1)))(between);
        const norms = tf.sqrt(tf.sum(tf.square(slope), [1, 2, 3, 4]));
        return tf.mean(tf.square(tf.sub(norms, 1)));
      };
      const { value, grads } = tf.valueAndGrads(penalty)(
        filters.map((filter) => tf.tensor(filter as number[][])),
      );
      return [value, ...grads];
    }));

    await startBackend(settings);
    const actual = await read(tf.tidy(() => {
      using same = patchCritic({ dimensions: 3, channels: 2, width: 3, layers: 2 }, stream("critic"));
      const [real, fake] = [volume(shape, "real"), volume(shape, "fake")];
      const { value, grads } = tf.variableGrads(() =>
        gradientPenalty(same, real, fake, tf.tensor4d(α, [2, 1, 1, 1]))
      );
      return [value, ...same.weights.map(({ variable }) => grads[variable.name])];
    }));
    assertClose(actual, expected, 1e-4, "penalty and gradients");
    await startBackend();
  });
}

Deno.test("gradientNorms() of a linear critic of volumes are its slope", () => {
  const φ: Network = { weights: [], apply: (x) => tf.mul(x, 3), macs: () => 0, [Symbol.dispose]: () => {} };
  tf.tidy(() => {
    for (const norm of gradientNorms(φ, volume([2, 3, 4, 5, 1]), "sum").dataSync()) {
      ok(Math.abs(norm / (3 * Math.sqrt(60)) - 1) < 1e-6, `${norm}`);
    }
  });
});

Deno.test("generator() and critic() are networks of volumes where shapes have a depth, and of images elsewhere", () => {
  const set = resolve({ ...generatorSettings, ...criticSettings }, small, "test");
  for (const extents of [[6, 8], [4, 6, 8]]) {
    using G = generator(set, [...extents, 2], [...extents, 2], stream("G"));
    using φ = critic(set, [...extents, 2], stream("φ"));
    tf.tidy(() => {
      const x = volume([1, ...extents, 2]);
      deepStrictEqual(G.apply(x).shape, x.shape);
      strictEqual(φ.apply(x).rank, x.rank);
    });
  }
});

Deno.test("a critic behind a high pass sees no constant and no slope of a volume, and noise nearly twice as large", () => {
  const plain: Network = {
    weights: [],
    apply: (x) => tf.clone(x),
    macs: (shape) => sizeOf(shape.slice(0, -1)),
    [Symbol.dispose]: () => {},
  };
  using critic = highPass(plain, [20, 20, 20, 1]);
  const slope = tf.tensor(
    Float32Array.from({ length: 8000 }, (_, i) => 3 + 0.1 * Math.floor(i / 400) - 0.05 * (i % 20)),
    [1, 20, 20, 20, 1],
  ) as tf.Tensor as tf.Tensor4D;
  ok(Math.max(...tf.tidy(() => critic.apply(slope).dataSync()).map(Math.abs)) < 1e-4);
  const noise = volume([1, 40, 40, 40, 1], "noise");
  const deviation = tf.tidy(() => Math.sqrt(tf.mean(tf.square(critic.apply(noise))).dataSync()[0]));
  // 2·√(1 − 2g(0) + Σg²) with the Gaussian of one voxel: 2·√(1 − 2·0.0636 + 0.0225).
  ok(Math.abs(deviation / 1.893 - 1) < 0.02, `${deviation}`);
  strictEqual(critic.macs([20, 10, 8, 1]), 14 * 4 * 2 * (343 + 1));
  tf.dispose([slope, noise]);
});

/** A network that notes the voxels of what it is given. */
function noting(apply: (x: tf.Tensor4D) => tf.Tensor4D) {
  const voxels: number[] = [];
  const network: Network = {
    weights: [],
    apply(x) {
      voxels.push(x.size / x.shape.at(-1)!);
      return apply(x);
    },
    macs: () => 0,
    [Symbol.dispose]: () => {},
  };
  return { network, voxels };
}

Deno.test("a volume that is too large is made in pieces that are not, and nothing shows where they meet", () => {
  const { network, voxels } = noting((x) => tf.mul(x, 2));
  tf.tidy(() => {
    const x = volume([1, 40, 70, 99, 2]);
    const before = tf.memory().numTensors;
    const made = inPieces(network, 100_000).apply(x);
    strictEqual(tf.memory().numTensors, before + 1);
    ok(largest(made, tf.mul(x, 2)) < 1e-6);
    ok(voxels.length > 2 && voxels.every((count) => count <= 100_000), `${voxels}`);
  });
});

Deno.test("a U-Net without norms makes in pieces nearly what it makes of the whole", () => {
  using whole = unet({ ...options, norm: false, levels: 1 }, stream("unet"));
  tf.tidy(() => {
    const x = volume([1, 8, 12, 100, 2]);
    const [pieces, expected] = [inPieces(whole, 8 * 12 * 80).apply(x), whole.apply(x)];
    const deviation = Math.sqrt(tf.mean(tf.square(expected)).dataSync()[0]);
    // A border reaches nine voxels far, where its piece has a small share.
    ok(largest(pieces, expected) < deviation, "border");
    const inner = [0, 0, 0, 43, 0], size = [1, 8, 12, 14, 2];
    ok(largest(tf.slice(pieces, inner, size), tf.slice(expected, inner, size)) < 1e-5, "middle");
  });
});

Deno.test("images, and volumes that fit, are not made in pieces", () => {
  const { network, voxels } = noting((x) => tf.clone(x));
  tf.tidy(() => {
    inPieces(network, 100).apply(volume([1, 80, 90, 1]));
    inPieces(network, 1000).apply(volume([1, 10, 10, 10, 1]));
    // It cannot be cut so that both pieces are much smaller.
    inPieces(network, 1000).apply(volume([1, 60, 60, 60, 1]));
  });
  deepStrictEqual(voxels, [7200, 1000, 216_000]);
});

Deno.test("a pool holds volumes, and hands them on after a restart", async () => {
  using pool = new ImagePool(2, stream("pool"));
  using other = new ImagePool(2, stream("pool"));
  const x = volume([2, 2, 3, 4, 1]);
  pool.exchange(x).dispose();
  other.restore(await pool.state());
  const later = volume([2, 2, 3, 4, 1], "later");
  deepStrictEqual(await read([pool.exchange(later)]), await read([other.exchange(later)]));
  tf.dispose([x, later]);
});

const shape = [6, 10, 12, 1];

/** Slices multiplied by 1, 0.5, 0 and 0.5 in turn: linear, and its own adjoint. */
const fadingSlices: Operator = {
  name: "fading-slices",
  settings: {},
  imageShape: shape,
  measurementShape: shape,
  forward: (x) => tf.tidy(() => tf.mul(x, tf.tensor([1, 0.5, 0, 0.5, 1, 0.5], [1, 6, 1, 1, 1]))),
  adjoint: (y) => fadingSlices.forward(y),
};

const problem: Problem = {
  imageShape: shape,
  seenShape: shape,
  measurementShape: shape,
  updates: 20,
  batch: 2,
};

function batches(matched: boolean): () => Promise<Batch> {
  const rng = stream("volumes/batches");
  const draw = () => {
    const values = Float32Array.from({ length: 2 * sizeOf(shape) }, () => rng.uniform());
    return tf.tensor(values, [2, ...shape]) as tf.Tensor as tf.Tensor4D;
  };
  return () => {
    const x = draw();
    const y = tf.tidy(() => fadingSlices.forward(matched ? x : draw())) as tf.Tensor4D;
    return Promise.resolve({ x, y, A: fadingSlices, see: (y) => tf.clone(y) as tf.Tensor4D });
  };
}

async function trained(method: Method): Promise<{ log: unknown[]; hash: string }> {
  const own = Object.entries({ ...small, pool: 3, levels: 1 }).filter(([name]) => name in method.settings);
  using learner = method.prepare(
    problem,
    resolve(method.settings, Object.fromEntries(own), method.name),
    stream("volumes"),
  );
  const draw = batches(method.knows.pairs);
  const log = [];
  for (let update = 0; update < 6; update++) log.push(await learner.update!(draw, update / 20));
  const batch = await draw();
  log.push(await learner.monitor?.(batch));
  const made = learner.reconstruct(batch.y, batch);
  deepStrictEqual(made.shape, batch.x.shape);
  ok((await read([made])).every(Number.isFinite));
  tf.dispose([batch.x, batch.y]);
  const weights = await learner.weights();
  return { log, hash: sha256(...weights.map(({ data }) => new Uint8Array(data.buffer))) };
}

Deno.test("methods that are for images alone refuse volumes before they train", () => {
  const ofImages: readonly Method[] = [redCnn, noiseMatching, otCycleGanUnknownOperator];
  for (const method of ofImages) {
    throws(
      () => method.prepare(problem, resolve(method.settings, {}, method.name), stream("refused")),
      /is for images, not for volumes \[6,10,12,1\]/,
    );
  }
});

for (const method of [supervised, cycleGan, wgan, otCycleGan, otCycleGanSpectralNorm]) {
  Deno.test(`${method.name} trains on volumes, and replays its steps to the bit of the tape`, async () => {
    const before = replayCounts().replayed;
    const replayed = await trained(method);
    const after = replayCounts().replayed;
    ok(after - before >= 4, `${after - before}`);
    await startBackend({ replay: false });
    deepStrictEqual(await trained(method), replayed);
    await startBackend();
  });
}
