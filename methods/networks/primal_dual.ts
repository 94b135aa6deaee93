/**
 * Learned primal-dual reconstruction (Adler & Öktem 2018, doi:10.1109/TMI.2018.2799231, arXiv:1707.06474): an
 * iteration between images and measurements whose steps are small networks.
 *
 * **Mental model.** f holds some copies of an image, h some of a measurement, both 0 at the start. With y the
 * measurement,
 *
 *     h ← h + Γᵢ(h, A f⁽²⁾, y)        f ← f + Λᵢ(f, Aᴴ h⁽¹⁾)        for i = 1, …, I
 *
 * and f⁽¹⁾ is the reconstruction (003, algorithm 2). Each Γᵢ and Λᵢ has three 3x3 convolutions with biases,
 * and a PReLU with a slope for each channel after the first two; weights are not shared between iterations.
 * Filters start by Glorot's rule, biases at 0, and slopes at 0, as in the reference implementation
 * (github.com/adler-j/learned_primal_dual).
 *
 * The operator is used as it is: its norm should be about 1, as in 003's.
 */

import * as tf from "@tensorflow/tfjs-core";
import { explain } from "../../core/errors.ts";
import type { Rng } from "../../core/random.ts";
import { addToChannels, concatChannels, conv2d, leakyClamp, prelu, sliceChannels } from "../../engine/ops.ts";
import { recomputed } from "../../engine/recompute.ts";
import type { Tensor, Tensor1D, Tensor4D } from "../../engine/tensor.ts";
import type { Operator, Shape } from "../../physics/operator.ts";
import { Filters, glorot, type Network } from "./network.ts";

/** What a learned primal-dual network can be. */
export interface PrimalDualOptions {
  /** Shape of an image, `[height, width, channels]`. */
  readonly imageShape: Shape;
  /** Shape of a measurement, `[height, width, channels]`. */
  readonly measurementShape: Shape;
  /** I. */
  readonly iterations: number;
  /** Copies of the image in f and of the measurement in h; at least 2. */
  readonly copies: number;
  /** Channels between the convolutions of a step. */
  readonly width: number;
  /**
   * The derivative below 0 of the clamp at 0 that ends the network, so that what is dark everywhere can
   * recover. Without a number there is no clamp.
   */
  readonly clamp?: number;
  /**
   * Whether the steps are computed once more for the backward pass instead of being kept for it: a third more
   * time, and of the memory a part that does not grow with the iterations. False unless said.
   */
  readonly recompute?: boolean;
}

/** A network that reconstructs from a measurement `[batch, ...measurementShape]` and its operator. */
export interface PrimalDual extends Network {
  /** The image, `[batch, ...imageShape]`. */
  apply(y: Tensor4D, A: Operator): Tensor4D;
}

/**
 * The weights of a step: of each convolution its filter, its biases and its slopes, but no slopes after the
 * last.
 */
type Step = readonly Tensor[];

/**
 * A network with weights from `rng`.
 *
 * @throws {TypeError} from `apply`, where it is given no operator.
 */
export function primalDual(options: PrimalDualOptions, rng: Rng): PrimalDual {
  const { imageShape, measurementShape, iterations, copies, width, clamp, recompute = false } = options;
  const [imageChannels, measurementChannels] = [imageShape[2], measurementShape[2]];
  const filters = new Filters(rng, glorot());
  const step = (name: string, from: number, to: number): Step =>
    [[from, width], [width, width], [width, to]].flatMap(([from, to], index) => {
      const layer = `${name}/${index + 1}`;
      const filter = filters.add(layer, [3, 3, from, to]);
      const biases = filters.addPerChannel(`${layer}/biases`, to, 0);
      return index < 2 ? [filter, biases, filters.addPerChannel(`${layer}/slopes`, to, 0)] : [filter, biases];
    });
  const steps = Array.from({ length: iterations }, (_, i) => ({
    dual: step(`dual${i + 1}`, (copies + 2) * measurementChannels, copies * measurementChannels),
    primal: step(`primal${i + 1}`, (copies + 1) * imageChannels, copies * imageChannels),
  }));

  const moved = (state: Tensor4D, seen: Tensor4D, step: Step): Tensor4D =>
    recompute ? recomputed(move, [state, seen, ...step]) : move(state, seen, ...step);

  return {
    weights: filters.weights,
    apply: (y, A: Operator | undefined) =>
      tf.tidy(() => {
        if (A === undefined) {
          throw new TypeError(explain({
            what: "learned primal-dual reconstruction needs the operator",
            fix: "apply it to a measurement and its operator",
          }));
        }
        const zeros = ([height, width, channels]: Shape) =>
          tf.zeros<tf.Rank.R4>([y.shape[0], height, width, copies * channels]);
        let [f, h] = [zeros(imageShape), zeros(measurementShape)];
        for (const { dual, primal } of steps) {
          const Af = A.forward(sliceChannels(f, imageChannels, imageChannels)) as Tensor4D;
          h = moved(h, concatChannels(Af, y), dual);
          const Ah = A.adjoint(sliceChannels(h, 0, measurementChannels)) as Tensor4D;
          f = moved(f, Ah, primal);
        }
        const image = sliceChannels(f, 0, imageChannels);
        return clamp === undefined ? image : leakyClamp(image, clamp);
      }),
    macs: () => {
      const cost = (step: Step, [height, width]: Shape) =>
        height * width * step.reduce((sum, { rank, size }) => sum + (rank === 4 ? size : 0), 0);
      return steps.reduce(
        (sum, { dual, primal }) => sum + cost(dual, measurementShape) + cost(primal, imageShape),
        0,
      );
    },
    [Symbol.dispose]: () => tf.dispose(filters.weights.map(({ variable }) => variable)),
  };
}

/** The state and its step, which sees it and what has come from the other side. */
function move(...[state, seen, ...step]: Tensor[]): Tensor4D {
  let x = concatChannels(state, seen) as Tensor4D;
  for (let i = 0; i < step.length; i += 3) {
    const [filter, biases, slopes] = step.slice(i, i + 3) as [Tensor4D, Tensor1D, Tensor1D | undefined];
    // What no derivative needs is given back at once: at the paper's size that is a third of the memory.
    x = tf.tidy(() => {
      const sums = addToChannels(conv2d(x, filter, { padding: 1 }), biases);
      return slopes === undefined ? sums : prelu(sums, slopes);
    });
  }
  return tf.add<Tensor4D>(state, x);
}
