// @ts-nocheck AssemblyScript: compiled by build.ts, not checked by Deno
/**
 * Stride-1 convolutions and their two adjoints, of any size; README.md has the calls. What Winograd's tiles do
 * not pay for (the two functions at the end decide) is one of two inner loops, `conv/forward.ts` and
 * `conv/filter_gradient.ts`: the gradient in the image is a convolution of the padded gradient with the filter
 * turned by 180° and its channels swapped (Dumoulin & Visin 2016, arXiv:1603.07285, relationship 8).
 */
import { filterGradient } from "./conv/filter_gradient.ts";
import { convolveBlocks, convolvePairs } from "./conv/forward.ts";
import { packBlocks, packPairs, padImage } from "./conv/layout.ts";
import { winogradForward, winogradForwardScratch } from "./conv/winograd.ts";
import { backward2x2, convolve2x2Scratch, forward2x2 } from "./conv/winograd_2x2.ts";
import { gradient2x2, gradient2x2Scratch } from "./conv/winograd_2x2_gradient.ts";
import { winogradGradient, winogradGradientScratch } from "./conv/winograd_gradient.ts";

export function convForward(
  x: usize,
  filter: usize,
  out: usize,
  batch: i32,
  height: i32,
  width: i32,
  channels: i32,
  filterHeight: i32,
  filterWidth: i32,
  outputs: i32,
  padding: i32,
  scratch: usize,
): void {
  if (takesTwoByTwo(filterHeight, filterWidth, channels, outputs, height, width, padding)) {
    forward2x2(x, filter, out, batch, height, width, channels, outputs, scratch);
    return;
  }
  convolve(
    x,
    filter,
    out,
    batch,
    height,
    width,
    channels,
    filterHeight,
    filterWidth,
    outputs,
    padding,
    padding,
    channels * outputs,
    outputs,
    1,
    scratch,
  );
}

/** The scratch bytes of `convForward`. */
export function convForwardScratch(
  batch: i32,
  height: i32,
  width: i32,
  channels: i32,
  filterHeight: i32,
  filterWidth: i32,
  outputs: i32,
  padding: i32,
): i32 {
  if (takesTwoByTwo(filterHeight, filterWidth, channels, outputs, height, width, padding)) {
    return convolve2x2Scratch(batch, height, width, channels, outputs);
  }
  return convolveScratch(
    batch,
    height + 2 * padding,
    width + 2 * padding,
    channels,
    filterHeight,
    filterWidth,
    outputs,
  );
}

export function convBackpropInput(
  gradient: usize,
  filter: usize,
  out: usize,
  batch: i32,
  height: i32,
  width: i32,
  channels: i32,
  filterHeight: i32,
  filterWidth: i32,
  outputs: i32,
  padding: i32,
  scratch: usize,
): void {
  if (takesTwoByTwo(filterHeight, filterWidth, outputs, channels, height, width, padding)) {
    backward2x2(gradient, filter, out, batch, height, width, channels, outputs, scratch);
    return;
  }
  const taps = filterHeight * filterWidth;
  const tapFloats = channels * outputs;
  convolve(
    gradient,
    filter + (((taps - 1) * tapFloats) << 2),
    out,
    batch,
    height + 2 * padding - filterHeight + 1,
    width + 2 * padding - filterWidth + 1,
    outputs,
    filterHeight,
    filterWidth,
    channels,
    filterHeight - 1 - padding,
    filterWidth - 1 - padding,
    -tapFloats,
    1,
    outputs,
    scratch,
  );
}

/** The scratch bytes of `convBackpropInput`. */
export function convBackpropInputScratch(
  batch: i32,
  height: i32,
  width: i32,
  channels: i32,
  filterHeight: i32,
  filterWidth: i32,
  outputs: i32,
  padding: i32,
): i32 {
  if (takesTwoByTwo(filterHeight, filterWidth, outputs, channels, height, width, padding)) {
    return convolve2x2Scratch(batch, height, width, outputs, channels);
  }
  return convolveScratch(
    batch,
    height + filterHeight - 1,
    width + filterWidth - 1,
    outputs,
    filterHeight,
    filterWidth,
    channels,
  );
}

export function convBackpropFilter(
  x: usize,
  gradient: usize,
  out: usize,
  batch: i32,
  height: i32,
  width: i32,
  channels: i32,
  filterHeight: i32,
  filterWidth: i32,
  outputs: i32,
  padding: i32,
  scratch: usize,
): void {
  if (takesTwoByTwo(filterHeight, filterWidth, channels, outputs, height, width, padding)) {
    gradient2x2(x, gradient, out, batch, height, width, channels, outputs, scratch);
    return;
  }
  const rows = height + 2 * padding;
  const columns = width + 2 * padding;
  if (takesWinograd(filterHeight, filterWidth, channels, outputs, rows - 2, columns - 2)) {
    winogradGradient(
      x,
      gradient,
      out,
      batch,
      height,
      width,
      channels,
      outputs,
      padding,
      rows - 2,
      columns - 2,
      scratch,
    );
    return;
  }
  if (padding != 0) {
    padImage(x, scratch, batch, height, width, channels, padding, padding, rows, columns);
    x = scratch;
  }
  filterGradient(
    x,
    gradient,
    out,
    batch,
    rows - filterHeight + 1,
    columns - filterWidth + 1,
    channels,
    outputs,
    filterHeight,
    filterWidth,
  );
}

/** The scratch bytes of `convBackpropFilter`. */
export function convBackpropFilterScratch(
  batch: i32,
  height: i32,
  width: i32,
  channels: i32,
  filterHeight: i32,
  filterWidth: i32,
  outputs: i32,
  padding: i32,
): i32 {
  if (takesTwoByTwo(filterHeight, filterWidth, channels, outputs, height, width, padding)) {
    return gradient2x2Scratch(batch, height, width, channels, outputs);
  }
  const rows = height + 2 * padding;
  const columns = width + 2 * padding;
  if (takesWinograd(filterHeight, filterWidth, channels, outputs, rows - 2, columns - 2)) {
    return winogradGradientScratch(batch, channels, outputs, rows - 2, columns - 2);
  }
  return padding == 0 ? 0 : (batch * rows * columns * channels) << 2;
}

/**
 * x `[batch, height, width, ins]` among `top` rows and `left` columns of zeros on each side, convolved with a
 * filter that is read through strides (`layout.ts`).
 */
function convolve(
  x: usize,
  filter: usize,
  out: usize,
  batch: i32,
  height: i32,
  width: i32,
  ins: i32,
  filterHeight: i32,
  filterWidth: i32,
  outs: i32,
  top: i32,
  left: i32,
  tapStride: i32,
  inStride: i32,
  outStride: i32,
  scratch: usize,
): void {
  const rows = height + 2 * top;
  const columns = width + 2 * left;
  const taps = filterHeight * filterWidth;
  if (takesWinograd(filterHeight, filterWidth, ins, outs, rows - 2, columns - 2)) {
    winogradForward(
      x,
      filter,
      out,
      batch,
      height,
      width,
      ins,
      outs,
      top,
      left,
      rows - 2,
      columns - 2,
      tapStride,
      inStride,
      outStride,
      scratch,
    );
    return;
  }
  if (top != 0 || left != 0) {
    padImage(x, scratch, batch, height, width, ins, top, left, rows, columns);
    x = scratch;
    scratch += alignUp((batch * rows * columns * ins) << 2);
  }
  const outHeight = rows - filterHeight + 1;
  const outWidth = columns - filterWidth + 1;
  if (outs >= 8) {
    packBlocks(filter, scratch, taps, ins, outs, tapStride, inStride, outStride);
    convolveBlocks(x, scratch, out, batch, outHeight, outWidth, ins, outs, filterHeight, filterWidth);
  }
  if ((outs & 7) != 0) {
    packPairs(filter, scratch, filterHeight, filterWidth, ins, outs, tapStride, inStride, outStride);
    convolvePairs(x, scratch, out, batch, outHeight, outWidth, ins, outs, filterHeight, filterWidth);
  }
}

/** Room for the padded image and the larger of the two packed filters. */
function convolveScratch(
  batch: i32,
  rows: i32,
  columns: i32,
  ins: i32,
  filterHeight: i32,
  filterWidth: i32,
  outs: i32,
): i32 {
  if (takesWinograd(filterHeight, filterWidth, ins, outs, rows - 2, columns - 2)) {
    return winogradForwardScratch(batch, ins, outs, rows - 2, columns - 2);
  }
  const blocks = (filterHeight * filterWidth * ins * (outs & ~7)) << 2;
  const pairs = (filterHeight * ((filterWidth * ins + 3) & ~3) * ((outs & 7) + 1)) << 2;
  return <i32> alignUp((batch * rows * columns * ins) << 2) + max(blocks, pairs);
}

/**
 * Whether Winograd's way (`conv/winograd.ts`) is taken: 3x3 filters, inputs in fours, outputs in eights, and
 * images of at least four tiles no more than a third of which lies outside. Measured on square images of 5 to
 * 64 pixels (docs/performance.md): there it loses a sixth at most (7x7, 8 channels), and is up to 3.3 times
 * as fast. The batch has no say, so that an image gives the same bits in any batch.
 */
function takesWinograd(
  filterHeight: i32,
  filterWidth: i32,
  ins: i32,
  outs: i32,
  outHeight: i32,
  outWidth: i32,
): bool {
  const tiles = ((outHeight + 3) >> 2) * ((outWidth + 3) >> 2);
  return WINOGRAD && filterHeight == 3 && filterWidth == 3 && (ins & 3) == 0 && (outs & 7) == 0 &&
    tiles >= 4 &&
    32 * tiles <= 3 * outHeight * outWidth;
}

/**
 * Whether Winograd's way for 2x2 filters (`conv/winograd_2x2.ts`) is taken: no padding, inputs in fours, outputs in
 * eights, which is what a critic has, on images of at least 5x5 whose outputs fill the tiles. Measured up to 65x65
 * there: 0.9 times (5x5) to 1.8 times as fast.
 */
function takesTwoByTwo(
  filterHeight: i32,
  filterWidth: i32,
  ins: i32,
  outs: i32,
  height: i32,
  width: i32,
  padding: i32,
): bool {
  return WINOGRAD && filterHeight == 2 && filterWidth == 2 && padding == 0 && (ins & 3) == 0 &&
    (outs & 7) == 0 &&
    (height & width & 1) == 1 && height >= 5 && width >= 5;
}

function alignUp(bytes: i32): usize {
  return (bytes + 15) & ~15;
}
