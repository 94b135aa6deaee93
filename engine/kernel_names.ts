/** The names under which our kernels and their gradients are registered with TensorFlow.js. */

/** Each kernel with its inputs, `attributes` and result; images are `[n, h, w, c]`. */
export const kernel = {
  /** x, filter; `padding`: the stride-1 convolution. */
  conv2d: "EngineConv2d",
  /** gradient, filter; `padding`, `height`, `width`: the convolution's adjoint in its image. */
  conv2dBackpropInput: "EngineConv2dBackpropInput",
  /** x, gradient; `padding`, `filterHeight`, `filterWidth`: the convolution's adjoint in its filter. */
  conv2dBackpropFilter: "EngineConv2dBackpropFilter",
  /**
   * x; `block`, `padding`, `height`, `width`, `rows`, `columns`: the first `rows` x `columns` blocks of the image
   * `[n, height, width, c]` with `padding` zeros before it and as many as it takes after it, as
   * `[n, rows, columns, block·block·c]`.
   */
  spaceToDepth: "EngineSpaceToDepth",
  /** x; the same: the adjoint of `spaceToDepth`, back to `[n, height, width, c]`. */
  depthToSpace: "EngineDepthToSpace",
  /**
   * x; `depth`, `steps`, `taps`, `stride`, `padding`: of volumes `[n·depth, h, w, c]` the slices
   * z·stride − padding + (0, …, taps − 1) of each step z as channels, `[n·steps, h, w, taps·c]`; zeros outside.
   */
  stackSlices: "EngineStackSlices",
  /** x; the same: the adjoint of `stackSlices`, back to `[n·depth, h, w, c]`. */
  unstackSlices: "EngineUnstackSlices",
  /** x; `epsilon`: of each sample and channel the mean, and 1 / √(variance + epsilon): `[n, 2, c]`. */
  instanceNormStatistics: "EngineInstanceNormStatistics",
  /** x, its statistics; `slope`: instance normalisation N(x), and a leaky ReLU of it. */
  instanceNorm: "EngineInstanceNorm",
  /**
   * x, its statistics, v; `inner`, `outer`: D″ N'(x) D′ v, with the slopes D′ and D″ of leaky ReLUs of N(x) whose slopes
   * these are. Its adjoint in v is the same with `inner` and `outer` swapped.
   */
  instanceNormGradient: "EngineInstanceNormGradient",
  /** x, its statistics, v, g; `inner`, `outer`: the gradient of ⟨g, D″ N'(x) D′ v⟩ in x. */
  instanceNormCurvature: "EngineInstanceNormCurvature",
  /** x; `slope`. */
  leakyRelu: "EngineLeakyRelu",
  /** where, x; `slope`: x where `where` is positive, `slope`·x elsewhere. */
  leakyReluGradient: "EngineLeakyReluGradient",
  /** where, x; `low`, `high`: x where `where` lies in [low, high], 0 elsewhere. */
  within: "EngineWithin",
  /**
   * where, x, slope `[c]`; `positive`: `positive`·x where `where` is positive, the channel's slope times x elsewhere.
   */
  prelu: "EnginePrelu",
  /** where, x, y: for each channel, the sum of x·y over the pixels where `where` is not positive. */
  preluSlopes: "EnginePreluSlopes",
  /** x, bias `[c]`. */
  addToChannels: "EngineAddToChannels",
  /** x: the sum of each channel, `[c]`. */
  channelSums: "EngineChannelSums",
  /** x; `scale`, `start`, `size`, `channels`: `scale` times the sum of each 2x2 block of some of x's channels. */
  blockSum: "EngineBlockSum",
  /** x; `scale`: each pixel times `scale` as a 2x2 block; the adjoint of `blockSum` of all channels. */
  blockFill: "EngineBlockFill",
  /** where, x: of each 2x2 block, x at the place of the maximum of `where`. */
  pickMaximum: "EnginePickMaximum",
  /** where, x (half as large): the adjoint of `pickMaximum` in x. */
  placeMaximum: "EnginePlaceMaximum",
  /** a, b; `first`, `second`: `[…, first]` and `[…, second]` to `[…, first + second]`. */
  concatChannels: "EngineConcatChannels",
  /** a, b (half as large); `first`, `second`: the channels of a, then b's, each pixel of which is a 2x2 block. */
  concatUpsampled: "EngineConcatUpsampled",
  /** x; `start`, `size`, `channels`: `[…, channels]` to `[…, size]`. */
  sliceChannels: "EngineSliceChannels",
  /** x; the same: x among zeros, the adjoint of `sliceChannels`. */
  padChannels: "EnginePadChannels",
  /** a, b: mean |a − b|. */
  l1: "EngineL1",
  /** a, b, gradient (scalar): gradient·sign(a − b) / size. */
  l1Gradient: "EngineL1Gradient",
  /** a, b: mean (a − b)². */
  l2: "EngineL2",
  /** a, b, gradient (scalar): gradient·2(a − b) / size. */
  l2Gradient: "EngineL2Gradient",
  /** x, s: x·s. */
  symmetricProduct: "EngineSymmetricProduct",
  /** x, y: ln(eˣ·eʸ), the exponentials being elementwise and the product of matrices. */
  logProduct: "EngineLogProduct",
  /** x; the fields of `ParallelLines` (lines.ts): sums along lines, `[n, height, width, c]` to `[n, views, bins, c]`. */
  lineSums: "EngineLineSums",
  /** y; the same: the adjoint of `lineSums`. */
  spreadAlongLines: "EngineSpreadAlongLines",
  /**
   * x `[2, …]`, real and imaginary parts; `outer`, `length`, `inner`, the extents before, along and after the axis (that of
   * the parts apart), `inverse`, 1 or 0: the Fourier transform of each line, without normalisation.
   */
  fourier: "EngineFourier",
  /**
   * variable, gradient, first, second, pace (rate, epsilon); `beta1`, `beta2`: the new variable and moments, which may be
   * the old memory written in place.
   */
  adam: "EngineAdam",
  /** variable, values: the values, in the variable's memory where that can be. */
  assign: "EngineAssign",
} as const;
