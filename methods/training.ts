/**
 * Trained methods as values: networks, what they make, losses, and the steps of an update.
 *
 * **Mental model.** One update draws a batch and goes through the definition's steps. A step minimises one loss
 * over some networks, once or several times, on the update's batch or on fresh ones. A step over a network
 * computes what that network makes (its *fake*) inside its own gradient; the steps after it on the same batch
 * are given the same fake as plain data, so a generator's forward pass serves its critic too.
 *
 * A loss is a pure function of tensors (the batch, the fakes, random numbers) and settings; all that changes
 * between two updates besides them is a learning rate. So the engine can record a step and replay it, once for
 * each shape and operator (`engine/replay.ts`): what changes comes through `input`, and leaves through `output`.
 *
 * **What it does not do.** It knows neither datasets nor clocks, and does not judge: a loss that is not finite
 * is returned as it is.
 */

import * as tf from "@tensorflow/tfjs-core";
import { explain } from "../core/errors.ts";
import { type Image, sameShape, sizeOf } from "../core/image.ts";
import type { Json } from "../core/json.ts";
import type { Rng, RngState } from "../core/random.ts";
import type { Setting, Settings, Values } from "../core/settings.ts";
import { Adam } from "../engine/adam.ts";
import { assign } from "../engine/assign.ts";
import { input, output, Replay } from "../engine/replay.ts";
import type { Batch, Knows, Learner, Meeting, Method, Problem, Weights } from "./method.ts";
import { type Network, parameters, type Weighted } from "./networks/network.ts";
import { ImagePool } from "./pool.ts";
import type { Scalar, Tensor, Tensor4D, Variable } from "../engine/tensor.ts";

/** The settings that every trained method has. */
export const trainingSettings = {
  beta1: { default: 0.5, about: "Adam's decay of the first moment", min: 0, max: 0.999999 },
  beta2: { default: 0.9, about: "Adam's decay of the second moment", min: 0, max: 0.999999 },
  decayFrom: {
    default: 0.5,
    about: "share of the updates after which learning rates fall to 0; 1 keeps them constant",
    min: 0,
    max: 1,
  },
  decay: {
    default: "linear",
    choices: ["linear", "cosine"],
    about: "how learning rates fall: in a straight line, or along half a period of a cosine",
  },
} satisfies Settings;

/** Settings with those of {@linkcode trainingSettings} among them. */
export type TrainingSettings =
  & Settings
  & { readonly [name in "beta1" | "beta2" | "decayFrom"]: Setting<number> }
  & { readonly decay: Setting<string> };

/** A method's networks, and what else has weights, by the letters that its equations use. */
export type Networks = { readonly [letter: string]: Weighted };

/** Random numbers as inputs of a step. */
export interface RandomTensors {
  /** Independent uniform numbers in [0, 1). */
  uniform(shape: readonly [number, number, number, number]): Tensor4D;
  /** Independent standard normal numbers. */
  normal(shape: readonly [number, number, number, number]): Tensor4D;
}

/** What a maker sees: a batch, and random numbers of the step's own stream. */
export interface Material<K extends Knows = Knows> extends Batch<K> {
  /** The numbers that the step's losses draw from, too. */
  readonly random: RandomTensors;
}

/** What a loss sees. */
export interface Scene<K extends Knows = Knows, Makers extends string = string> extends Material<K> {
  /** What each maker made of the batch: with its gradient in a step over that network, as plain data elsewhere. */
  readonly fake: { readonly [letter in Makers]: Tensor4D };
}

/** One step of an update. */
export interface Step<N extends Networks, Losses extends string> {
  /** The loss. */
  readonly minimise: Losses;
  /** The networks whose weights move; the others are constants. */
  readonly over: readonly (keyof N & string)[];
  /** Adam's learning rate before it decays. */
  readonly rate: number;
  /** Adam's decay of the first moment in this step; the setting `beta1` unless said. */
  readonly beta1?: number;
  /** Gradients whose norm, over all weights that move, is larger are scaled down to it; none unless said. */
  readonly clipNorm?: number;
  /** How often; once unless said. */
  readonly times?: number;
  /** Whether each time sees the update's batch or draws one of its own; `same` unless said. */
  readonly batch?: "same" | "fresh";
  /**
   * How many draws its batch is put together from; 1 unless said. An update has a batch of its own for each number that its
   * steps say.
   */
  readonly draws?: number;
  /** Fakes come out of pools of this many images; 0, no pool, unless said. */
  readonly pool?: number;
  /** Called each time after the weights have moved. */
  after?(networks: N): void;
}

/** A trained method, as its file writes it down. */
export interface Definition<
  S extends TrainingSettings,
  K extends Knows,
  N extends Networks,
  Makers extends keyof N & string,
  Losses extends string,
> {
  /** As for {@linkcode Method}. */
  readonly name: string;
  /** One line for lists and captions. */
  readonly about: string;
  /** Paper, and section or equation. */
  readonly source: string;
  /** Cost of one update against one of the supervised method. */
  readonly effort: number;
  /** The method's settings, which the functions below are given the values of. */
  readonly settings: S;
  /** What the method may know; types `A` in its batches. */
  readonly knows: K;
  /** Makes the networks; each opens a stream of its own. */
  networks(set: Values<S>, problem: Problem, rng: Rng): N;
  /** What a network makes of a batch, for losses to share. */
  readonly fakes?: {
    readonly [letter in Makers]: (network: N[letter], material: Material<K>) => Tensor4D;
  };
  /** Scalars to be minimised. */
  readonly losses: {
    readonly [loss in Losses]: (networks: N, scene: Scene<K, Makers>, set: Values<S>) => Scalar;
  };
  /** The steps of an update, in order. */
  steps(set: Values<S>): readonly Step<NoInfer<N>, NoInfer<Losses>>[];
  /** As for {@linkcode Learner}: before the first update. */
  fit?(networks: N, images: AsyncIterable<Image>, seen: AsyncIterable<Image>, set: Values<S>): Promise<void>;
  /** Scalars to follow on validation data; the random numbers are the same each time. */
  monitor?(networks: N, batch: Material<K>, set: Values<S>): { readonly [quantity: string]: Scalar };
  /** The network that makes an image of what is seen of a measurement. */
  readonly reconstructs: keyof NoInfer<N> & string;
  /** How it does so, where that is not simply its output for what is seen; borrows y, and the caller owns the result. */
  reconstruct?(networks: N, y: Tensor4D, meeting: Meeting<K>, set: Values<S>): Tensor4D;
  /** As for {@linkcode Learner}. */
  learned?(networks: N, set: Values<S>): Promise<Readonly<Record<string, Image>>>;
}

/** The method that a definition describes. */
export function defineMethod<
  S extends TrainingSettings,
  const K extends Knows,
  N extends Networks,
  Makers extends keyof N & string,
  Losses extends string,
>(definition: Definition<S, K, N, Makers, Losses>): Method<S> {
  const { name, about, source, knows, settings, effort } = definition;
  return {
    name,
    about,
    source,
    knows,
    settings,
    effort,
    trains: true,
    prepare: (problem, set, rng) => learner(definition, problem, set, rng),
  };
}

/** The learning rate when `progress` of the updates are done: constant up to `decayFrom`, then falling to 0. */
export function scheduled(
  rate: number,
  progress: number,
  decayFrom: number,
  decay: string = trainingSettings.decay.default,
): number {
  if (progress < decayFrom) return rate;
  const fallen = (progress - decayFrom) / (1 - decayFrom);
  return rate * (decay === "cosine" ? (1 + Math.cos(Math.PI * fallen)) / 2 : 1 - fallen);
}

function learner<
  S extends TrainingSettings,
  K extends Knows,
  N extends Networks,
  Makers extends keyof N & string,
  Losses extends string,
>(definition: Definition<S, K, N, Makers, Losses>, problem: Problem, set: Values<S>, rng: Rng): Learner {
  const { name } = definition;
  const { beta1, beta2, decayFrom, decay } = set as unknown as Values<typeof trainingSettings>;
  const networks = definition.networks(set, problem, rng.stream("networks"));
  const makers = Object.keys(definition.fakes ?? {}) as Makers[];
  const steps = definition.steps(set).map((step) => {
    const own = rng.stream(`${step.minimise} over ${step.over.join(" and ")}`);
    const pool = (letter: Makers) =>
      [letter, new ImagePool(step.pool ?? 0, own.stream(`pool of ${letter}`))] as const;
    const making = (letter: Makers) => [letter, new Replay<Tensor4D>(`${name}: ${letter}'s fake`)] as const;
    return {
      ...step,
      variables: step.over.flatMap((letter) => trainedVariables(networks[letter])),
      adam: new Adam({ beta1: step.beta1 ?? beta1, beta2 }),
      rng: own.stream("random"),
      pools: new Map(makers.map(pool)),
      minimising: new Replay<Scalar>(`${name}: step "${step.minimise}"`),
      making: new Map(makers.map(making)),
    };
  });
  type RunningStep = typeof steps[number];

  /** A batch, and what networks made of it so far. */
  interface Drawn {
    readonly batch: Batch<K>;
    readonly made: Map<Makers, Tensor4D>;
    /** What pools gave for it. */
    readonly pooled: Map<ImagePool, Tensor4D>;
  }

  const taken = async (draw: () => Promise<Batch>, draws: number): Promise<Drawn> => {
    const batch = await together(name, draw, draws);
    const known = { exactly: batch.A, form: batch.form, nothing: batch }[definition.knows.operator];
    if (known === undefined) {
      tf.dispose([batch.x, batch.y]);
      const { operator } = definition.knows;
      const [what, letter] = operator === "form" ? ["the operator's form", "form"] : ["the operator", "A"];
      throw new TypeError(explain({
        what: `method "${definition.name}" knows ${what}, but was given a batch without one`,
        fix:
          `hand out \`${letter}\` with each batch to methods that declare \`knows: { operator: "${operator}" }\``,
      }));
    }
    return { batch: batch as Batch<K>, made: new Map(), pooled: new Map() };
  };

  const dispose = ({ batch, made, pooled }: Drawn): void =>
    tf.dispose([batch.x, batch.y, ...made.values(), ...pooled.values()]);

  const keep = <Key>(images: Map<Key, Tensor4D>, key: Key, image: Tensor4D): Tensor4D => {
    images.get(key)?.dispose();
    images.set(key, tf.keep(image));
    return image;
  };

  /** What the step that is being made works on: steps that were recorded fetch it anew from here. */
  let now: Drawn;
  /** Adam's learning rate in it. */
  let rate = 0;

  /** What tells apart two batches that a step does different things with: `see` belongs to the operator. */
  const kind = ({ x, y, A, form }: Batch): readonly unknown[] => [
    x.shape.join("x"),
    y.shape.join("x"),
    A,
    form,
  ];

  const material = (step: RunningStep): Material<K> => ({
    ...now.batch,
    x: input(() => now.batch.x),
    y: input(() => now.batch.y),
    random: randomTensors(step.rng),
  });

  /** What a network that the step does not move makes of the batch. */
  const plain = (step: RunningStep, letter: Makers): Tensor4D => {
    const { batch, made } = now;
    const make = () => definition.fakes![letter](networks[letter], material(step));
    return made.get(letter) ??
      keep(made, letter, withoutTape(batch.y, () => step.making.get(letter)!.run(kind(batch), make)));
  };

  /** The same, out of the step's pool if it has one. */
  const given = (step: RunningStep, letter: Makers): Tensor4D => {
    if (!step.pool) return plain(step, letter);
    const { pooled } = now;
    const pool = step.pools.get(letter)!;
    return pooled.get(pool) ?? keep(pooled, pool, pool.exchange(plain(step, letter)));
  };

  /** What a loss sees in a step; fakes are made, or fetched, when it first asks for them. */
  const scene = (step: RunningStep): Scene<K, Makers> => {
    const seen = material(step);
    const own = (letter: Makers): Tensor4D => {
      const image = definition.fakes![letter](networks[letter], seen);
      output(image, (copy) => keep(now.made, letter, copy));
      return image;
    };
    const fake = {} as { [letter in Makers]: Tensor4D };
    for (const letter of makers) {
      let image: Tensor4D | undefined;
      Object.defineProperty(fake, letter, {
        get: () => image ??= step.over.includes(letter) ? own(letter) : input(() => given(step, letter)),
      });
    }
    return { ...seen, fake };
  };

  /** One update of the networks of one step; the loss's value belongs to the caller. */
  const minimise = (step: RunningStep, drawn: Drawn, progress: number): Scalar => {
    now = drawn;
    rate = scheduled(step.rate, progress, decayFrom, decay);
    return step.minimising.run(kind(drawn.batch), () => {
      const seen = scene(step);
      const { value, grads } = tf.variableGrads(
        () => definition.losses[step.minimise](networks, seen, set),
        step.variables,
      );
      const gradients = step.variables.map((variable) =>
        grads[variable.name] ?? unreached(name, step, networks, variable)
      );
      const bounded = step.clipNorm === undefined ? gradients : boundedBy(step.clipNorm, gradients);
      step.adam.step(step.variables, bounded, () => rate);
      for (const letter of step.over) networks[letter].settle?.();
      step.after?.(networks);
      return value;
    });
  };

  const update = async (draw: () => Promise<Batch>, progress: number): Promise<Record<string, number>> => {
    const losses = new Map<string, Scalar[]>();
    const shared = new Map<number, Drawn>();
    try {
      for (const { batch, draws = 1 } of steps) {
        if (batch !== "fresh" && !shared.has(draws)) shared.set(draws, await taken(draw, draws));
      }
      for (const step of steps) {
        const values = losses.get(step.minimise) ?? [];
        losses.set(step.minimise, values);
        for (let time = 0; time < (step.times ?? 1); time++) {
          const { draws = 1 } = step;
          const isFresh = step.batch === "fresh";
          const drawn = isFresh ? await taken(draw, draws) : shared.get(draws)!;
          try {
            values.push(minimise(step, drawn, progress));
          } finally {
            if (isFresh) dispose(drawn);
          }
        }
      }
      const log: Record<string, number> = {};
      for (const [name, values] of losses) log[name] = mean(await Promise.all(values.map(number)));
      return log;
    } finally {
      shared.forEach(dispose);
      tf.dispose([...losses.values()]);
    }
  };

  const monitor = async (batch: Batch): Promise<Record<string, number>> => {
    const random = randomTensors(rng.stream("monitor"));
    const quantities = tf.tidy(() => definition.monitor!(networks, { ...batch as Batch<K>, random }, set));
    try {
      const log: Record<string, number> = {};
      for (const [name, value] of Object.entries(quantities)) log[name] = await number(value);
      return log;
    } finally {
      tf.dispose(Object.values(quantities));
    }
  };

  const weights = Object.entries(networks).flatMap(([letter, network]) =>
    network.weights.map(({ name, variable }) => ({ name: `${letter}/${name}`, variable }))
  );
  const reconstructs = asNetwork(name, definition.reconstructs, networks);
  return {
    parameters: parameters(reconstructs),
    macs: (seenShape) => reconstructs.macs(seenShape),
    update,
    ...(definition.monitor === undefined ? {} : { monitor }),
    ...(definition.fit === undefined
      ? {}
      : { fit: (images, seen) => definition.fit!(networks, images, seen, set) }),
    reconstruct: (y: Tensor4D, meeting: Meeting) =>
      tf.tidy(() =>
        definition.reconstruct?.(networks, y, meeting as Meeting<K>, set) ??
          (reconstructs.infer ?? reconstructs.apply)(meeting.see(y))
      ),
    ...(definition.learned === undefined ? {} : { learned: () => definition.learned!(networks, set) }),
    weights: () =>
      Promise.all(weights.map(async ({ name, variable }) => ({
        name,
        shape: variable.shape,
        data: await values(variable),
      }))),
    load: (given) => {
      assertSameWeights(name, weights.map(({ name, variable }) => ({ name, shape: variable.shape })), given);
      for (const [index, { variable }] of weights.entries()) {
        tf.tidy(() => assign(variable, tf.tensor(given[index].data, variable.shape)));
      }
    },
    async state() {
      const arrays = await Promise.all(weights.map(async ({ variable }) => (await values(variable))));
      const rest: StepState[] = [];
      for (const { adam, rng, pools } of steps) {
        const moments = await adam.state();
        const held = await Promise.all([...pools.values()].map((pool) => pool.state()));
        arrays.push(
          ...moments.first,
          ...moments.second,
          ...held.flatMap(({ images }) => images.map(({ data }) => data)),
        );
        rest.push({
          steps: moments.steps,
          moments: moments.first.length,
          rng: rng.state(),
          pools: held.map(({ images, rng }) => ({ shapes: images.map(({ shape }) => shape), rng })),
        });
      }
      return { arrays, rest: rest as unknown as Json };
    },
    restore({ arrays, rest }) {
      const queue = [...arrays];
      const take = (count: number) => queue.splice(0, count);
      for (const { variable } of weights) {
        tf.tidy(() => assign(variable, tf.tensor(queue.shift()!, variable.shape)));
      }
      for (const [index, state] of (rest as unknown as StepState[]).entries()) {
        const { adam, rng, pools, variables } = steps[index];
        adam.restore(
          { steps: state.steps, first: take(state.moments), second: take(state.moments) },
          variables,
        );
        rng.restore(state.rng);
        for (const [at, pool] of [...pools.values()].entries()) {
          const { shapes, rng } = state.pools[at];
          pool.restore({ images: shapes.map((shape) => ({ shape, data: queue.shift()! })), rng });
        }
      }
    },
    [Symbol.dispose]() {
      for (const network of Object.values(networks)) network[Symbol.dispose]();
      for (const { adam, pools, minimising, making } of steps) {
        minimising[Symbol.dispose]();
        for (const replay of making.values()) replay[Symbol.dispose]();
        adam[Symbol.dispose]();
        for (const pool of pools.values()) pool[Symbol.dispose]();
      }
    },
  };
}

/** What is not an array of the state of one step. */
interface StepState {
  readonly steps: number;
  /** Arrays of each of Adam's two moments. */
  readonly moments: number;
  readonly rng: RngState;
  readonly pools: readonly { readonly shapes: readonly (readonly number[])[]; readonly rng: RngState }[];
}

/** Refuses weights of other networks. */
function assertSameWeights(
  method: string,
  own: readonly { name: string; shape: readonly number[] }[],
  given: Weights,
): void {
  const said = (weight?: { name: string; shape: readonly number[] }) =>
    weight === undefined ? "nothing" : `${weight.name} [${weight.shape}]`;
  const at = Math.max(own.length, given.length);
  for (let i = 0; i < at; i++) {
    if (own[i]?.name === given[i]?.name && sameShape(own[i].shape, given[i].shape)) continue;
    throw new TypeError(explain({
      what: `the weights are of other networks: ${said(given[i])}, where there is ${said(own[i])}`,
      where: `method "${method}"`,
      fix: "prepare it with the settings and the problem that the weights were trained with",
    }));
  }
}

async function values(variable: Variable): Promise<Float32Array> {
  return Float32Array.from(await variable.data());
}

/** What reconstructs, which has to be a function of images. */
function asNetwork(method: string, letter: string, networks: Networks): Network {
  const found: Weighted = networks[letter];
  if ("apply" in found && "macs" in found) return found as Network;
  throw new TypeError(explain({
    what: `method "${method}" reconstructs by "${letter}", which is no function of images`,
    fix: "name a network with `apply` and `macs`",
  }));
}

function trainedVariables(network: Weighted): Variable[] {
  return network.weights.filter(({ trained }) => trained).map(({ variable }) => variable);
}

/** A batch of several draws; all of them have one operator and one shape. */
async function together(method: string, draw: () => Promise<Batch>, draws: number): Promise<Batch> {
  const first = await draw();
  if (draws === 1) return first;
  const all = [first];
  try {
    while (all.length < draws) {
      const next = await draw();
      all.push(next);
      const fits = next.A === first.A && next.form === first.form &&
        sameShape(next.x.shape.slice(1), first.x.shape.slice(1)) &&
        sameShape(next.y.shape.slice(1), first.y.shape.slice(1));
      if (fits) continue;
      throw new RangeError(explain({
        what:
          `method "${method}" puts ${draws} batches together, and they differ in their shapes or operators`,
        where:
          `images [${first.x.shape}] and [${next.x.shape}], measurements [${first.y.shape}] and [${next.y.shape}]`,
        fix: "train on data that were all measured alike, or in patches of one size",
      }));
    }
    return { ...first, x: tf.concat(all.map(({ x }) => x)), y: tf.concat(all.map(({ y }) => y)) };
  } finally {
    tf.dispose(all.map(({ x, y }) => [x, y]));
  }
}

function randomTensors(rng: Rng): RandomTensors {
  const filled = (shape: readonly [number, number, number, number], draw: () => number) =>
    input(() => tf.tensor<tf.Rank.R4>(Float32Array.from({ length: sizeOf(shape) }, draw), [...shape]));
  return {
    uniform: (shape) => filled(shape, rng.uniform),
    normal: (shape) => filled(shape, rng.normal),
  };
}

/** What `make` makes, computed without recording it for a gradient, also in the middle of one. */
function withoutTape(any: Tensor, make: () => Tensor4D): Tensor4D {
  // The tape does not look into an op with a gradient of its own; nothing ever asks for this one.
  return tf.customGrad((input) => ({ value: make(), gradFunc: () => tf.zerosLike(input as Tensor) }))(
    any,
  ) as Tensor4D;
}

async function number(scalar: Scalar): Promise<number> {
  return (await scalar.data())[0];
}

/** Gradients scaled down together so that their norm is at most `most`. */
function boundedBy(most: number, gradients: readonly Tensor[]): Tensor[] {
  const squares = gradients.map((gradient): Tensor => tf.sum(tf.square(gradient)));
  const norm = tf.sqrt(tf.addN(squares));
  const factor = tf.div(most, tf.clipByValue(norm, most, 3e38));
  return gradients.map((gradient) => tf.mul(gradient, factor));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function unreached(
  method: string,
  step: { readonly minimise: string; readonly over: readonly string[] },
  networks: Networks,
  variable: Variable,
): never {
  const weight = step.over.flatMap((letter) =>
    networks[letter].weights.filter((one) => one.variable === variable).map(({ name }) => `${letter}/${name}`)
  );
  throw new TypeError(explain({
    what: `method "${method}" minimises "${step.minimise}", which does not depend on the weights ${weight}`,
    fix: "let the loss use that network, or leave the network out of the step's `over`",
  }));
}
