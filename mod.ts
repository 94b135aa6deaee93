/**
 * What a module of your own needs to add a method, a kind of data or a benchmark: `deno task bench … --use FILE.ts`.
 *
 * A **method** turns measurements into images: any object that satisfies {@linkcode Method}, or, for trained networks,
 * what {@linkcode defineMethod} makes of networks, losses and steps. A **dataset** hands out samples
 * ({@linkcode DatasetKind}). A **benchmark** says which samples are measured how, and which methods and metrics meet them
 * ({@linkcode Benchmark}). The module's default export is an {@linkcode Extension}.
 *
 * @module
 */

export type { Extension } from "./commands/suite.ts";
export {
  type Benchmark,
  type Check,
  type Combiner,
  commonSettings,
  type Condition,
  type Followed,
  type Kept,
  type Profile,
  type ProfileName,
  type Profiles,
  type Row,
  type Window,
} from "./benchmarks/benchmark.ts";
export { ct, ctSettings } from "./benchmarks/ct.ts";
export { deconvolution3d, deconvolution3dSettings } from "./benchmarks/deconvolution_3d.ts";
export { misalignedCt, misalignedCtSettings } from "./benchmarks/misaligned_ct.ts";
export { mri, mriSettings } from "./benchmarks/mri.ts";
export { smlm, smlmSettings } from "./benchmarks/smlm.ts";
export { type Explanation, UsageError } from "./core/errors.ts";
export { centreCrop, type Image, magnitude, standardDeviation } from "./core/image.ts";
export type { Json } from "./core/json.ts";
export type { Points } from "./core/points.ts";
export { type Rng, type RngState, stream } from "./core/random.ts";
export type { Overrides, Setting, Settings, SettingValue, Values, Widened } from "./core/settings.ts";
export {
  type Contents,
  type Dataset,
  type DatasetKind,
  type FileProbe,
  type OpenOptions,
  type Sample,
  samples,
  type Subject,
  type Tile,
} from "./datasets/dataset.ts";
export type { Levels } from "./datasets/levels.ts";
export {
  averagePool2,
  concatChannels,
  concatUpsampled,
  conv2d,
  type Convolution,
  instanceNorm,
  l1,
  l2,
  leakyRelu,
  type Normalisation,
  relu,
  upsample2,
} from "./engine/ops.ts";
export type { Scalar, Tensor, Tensor1D, Tensor2D, Tensor4D, Variable } from "./engine/tensor.ts";
export { critic, criticSettings, criticStep, penaltySettings } from "./methods/critic.ts";
export { generator, generatorSettings } from "./methods/generator.ts";
export { cycle, expectation, gradientPenalty, wasserstein, weighted } from "./methods/losses.ts";
export { sinkhorn } from "./methods/sinkhorn.ts";
export { unrolledSinkhorn } from "./methods/sinkhorn_unrolled.ts";
export { massError, type Transport, transportSettings } from "./methods/transport.ts";
export type { Network, Weight, Weighted } from "./methods/networks/network.ts";
export {
  defineMethod,
  type Definition,
  type Material,
  type Networks,
  type RandomTensors,
  type Scene,
  type Step,
  type TrainingSettings,
  trainingSettings,
} from "./methods/training.ts";
export type {
  Batch,
  Knows,
  Learner,
  LearnerState,
  Meeting,
  Method,
  Problem,
  Weights,
} from "./methods/method.ts";
export type {
  Better,
  Case,
  ErrorNorms,
  Kernels,
  MeasuredNorms,
  Metric,
  MetricHead,
  Need,
  SampleCurve,
  Score,
} from "./metrics/metric.ts";
export type { Acquisition, Measurable, Measured } from "./physics/acquisition.ts";
export type { Form } from "./physics/form.ts";
export type { Noise } from "./physics/noise.ts";
export type { Operator, Shape } from "./physics/operator.ts";
export type { Claim } from "./results/run.ts";
