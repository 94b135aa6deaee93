/** The optimiser Adam, fused into one kernel call a variable. */

import * as tf from "@tensorflow/tfjs-core";
import { explain } from "../core/errors.ts";
import { kernel } from "./kernel_names.ts";
import { aside, input } from "./replay.ts";

/** The constants of {@linkcode Adam}. */
export interface AdamOptions {
  /** Decay of the mean gradient, in [0, 1); 0.9 unless said. */
  readonly beta1?: number;
  /** Decay of the mean squared gradient, in [0, 1); 0.999 unless said. */
  readonly beta2?: number;
  /** Added to the root of the mean square; 1e-8 unless said. */
  readonly epsilon?: number;
}

/** Everything that an {@linkcode Adam} remembers, as plain values: a checkpoint's part of it. */
export interface AdamState {
  /** How many steps it has made. */
  readonly steps: number;
  /** The mean gradient of each variable, in the order of the variables. */
  readonly first: readonly Float32Array[];
  /** The mean squared gradient of each variable. */
  readonly second: readonly Float32Array[];
}

interface Moments {
  readonly first: tf.Variable;
  readonly second: tf.Variable;
}

/**
 * Adam (Kingma & Ba 2015, arXiv:1412.6980, algorithm 1): with the mean gradient m and the mean square v of t steps,
 * θ ← θ − rate · m̂ / (√v̂ + ε), where m̂ = m / (1 − β1ᵗ) and v̂ = v / (1 − β2ᵗ).
 *
 * One optimiser serves one list of variables, the same in every step. On `wasm` variables and moments are written in
 * place, which stock convolutions and matrix products of that backend do not notice (XNNPACK keeps a packed copy of
 * what it took for a constant filter): feed variables to the ops of `ops.ts`.
 */
export class Adam implements Disposable {
  readonly #beta1: number;
  readonly #beta2: number;
  readonly #epsilon: number;
  #steps = 0;
  #variables: readonly tf.Variable[] = [];
  #moments: Moments[] = [];

  /**
   * An optimiser that has made no step yet.
   *
   * @throws {RangeError} where a constant is outside its range.
   */
  constructor({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamOptions = {}) {
    for (const [name, beta] of Object.entries({ beta1, beta2 })) {
      if (!(beta >= 0 && beta < 1)) {
        throw new RangeError(explain({ what: `Adam: ${name} is ${beta}`, fix: "give a number in [0, 1)" }));
      }
    }
    if (!(epsilon > 0)) {
      throw new RangeError(
        explain({ what: `Adam: epsilon is ${epsilon}`, fix: "give a small positive number" }),
      );
    }
    this.#beta1 = beta1;
    this.#beta2 = beta2;
    this.#epsilon = epsilon;
  }

  /** How many steps have been made. */
  get steps(): number {
    return this.#steps;
  }

  /**
   * Moves every variable by one step at the learning rate `rate`: a number, or what a step that is replayed asks
   * for each time. Gradients are borrowed, one a variable, of its shape.
   *
   * @throws {TypeError} where variables and gradients do not match, or the variables are not those of the last step.
   */
  step(
    variables: readonly tf.Variable[],
    gradients: readonly tf.Tensor[],
    rate: number | (() => number),
  ): void {
    requireMatch(variables, gradients);
    this.#adopt(variables);
    tf.tidy(() => {
      const pace = input(() => this.#pace(typeof rate === "number" ? rate : rate()));
      const attributes = { beta1: this.#beta1, beta2: this.#beta2 };
      for (const [index, variable] of variables.entries()) {
        const { first, second } = this.#moments[index];
        const inputs = { variable, gradient: gradients[index], first, second, pace };
        const updated = tf.engine().runKernel(kernel.adam, inputs, attributes) as tf.Tensor[];
        [variable, first, second].forEach((old, part) => old.assign(updated[part]));
        updated.forEach((tensor) => tensor.dispose());
      }
    });
  }

  /**
   * Counts a step, and works out its rate and epsilon, two numbers that carry the corrections:
   * rate · m̂ / (√v̂ + ε) = scaledRate · m / (√v + scaledEpsilon).
   */
  #pace(rate: number): tf.Tensor1D {
    this.#steps++;
    const root = Math.sqrt(1 - this.#beta2 ** this.#steps);
    return tf.tensor1d([rate * root / (1 - this.#beta1 ** this.#steps), this.#epsilon * root]);
  }

  /** A copy of everything it remembers. */
  async state(): Promise<AdamState> {
    const values = (part: keyof Moments) =>
      Promise.all(this.#moments.map(async (moments) => (await moments[part].data<"float32">()).slice()));
    return { steps: this.#steps, first: await values("first"), second: await values("second") };
  }

  /**
   * Goes on from `state`, for `variables` like those it was taken from, in the same order.
   *
   * @throws {TypeError} where the state is not one of these variables.
   */
  restore(state: AdamState, variables: readonly tf.Variable[]): void {
    // A state taken before the first step has no moments yet.
    const fresh = state.steps === 0 && state.first.length === 0;
    const fits = fresh ||
      [state.first, state.second].every((part) =>
        part.length === variables.length &&
        part.every((values, index) => values.length === variables[index].size)
      );
    if (!fits) {
      throw new TypeError(explain({
        what: `Adam: a state of ${state.first.length} variables does not fit these ${variables.length}`,
        fix: "restore a state that was taken with the same network",
      }));
    }
    this.dispose();
    this.#adopt(variables);
    this.#steps = state.steps;
    if (fresh) return;
    for (const [index, { first, second }] of this.#moments.entries()) {
      tf.tidy(() => {
        first.assign(tf.tensor(state.first[index], first.shape));
        second.assign(tf.tensor(state.second[index], second.shape));
      });
    }
  }

  /** Frees the moments and forgets the variables. */
  dispose(): void {
    for (const { first, second } of this.#moments) {
      first.dispose();
      second.dispose();
    }
    this.#moments = [];
    this.#variables = [];
    this.#steps = 0;
  }

  /** {@linkcode Adam.dispose}, for `using`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Makes moments of zeros at the first step, and refuses other variables later. */
  #adopt(variables: readonly tf.Variable[]): void {
    if (this.#variables.length === 0) {
      this.#variables = [...variables];
      const zeros = ({ shape }: tf.Variable) => tf.tidy(() => tf.variable(tf.zeros(shape), false));
      this.#moments = aside(() =>
        variables.map((variable) => ({ first: zeros(variable), second: zeros(variable) }))
      );
      return;
    }
    const same = variables.length === this.#variables.length &&
      variables.every((variable, index) => variable === this.#variables[index]);
    if (!same) {
      throw new TypeError(explain({
        what: "Adam: these are not the variables of the last step",
        fix: "give each list of variables an Adam of its own, and every step the whole list in one order",
      }));
    }
  }
}

function requireMatch(variables: readonly tf.Variable[], gradients: readonly tf.Tensor[]): void {
  if (variables.length !== gradients.length) {
    throw new TypeError(explain({
      what: `Adam: ${variables.length} variables, ${gradients.length} gradients`,
      fix: "give one gradient a variable, in the same order",
    }));
  }
  variables.forEach((variable, index) => {
    const gradient = gradients[index] as tf.Tensor | undefined;
    if (gradient === undefined || !tf.util.arraysEqual(variable.shape, gradient.shape)) {
      throw new TypeError(explain({
        what: `Adam: the gradient of "${variable.name}" [${variable.shape}] is [${
          gradient?.shape ?? "missing"
        }]`,
        fix: "check that the loss depends on it: what is disconnected has no gradient",
      }));
    }
  });
}
