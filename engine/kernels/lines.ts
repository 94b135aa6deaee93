// @ts-nocheck AssemblyScript: compiled by build.ts, not checked by Deno
/**
 * Sums of an image along parallel lines from many sides, and their adjoint.
 *
 * **Four views at once.** Views whose lines mirror each other in the axes and diagonals of the image share
 * their geometry: what view θ sees of the image, view π − θ sees of its mirror image, and π/2 ∓ θ of these
 * two with x and y exchanged. So the image is laid out once as a square of four lanes (image, x and y
 * exchanged, turned by a quarter, mirrored: *the quad*), and one pass along lines with 0 ≤ θ ≤ π/4 serves a
 * *group* of four views. Lanes that no view needs hold zeros or go unread.
 *
 * **One inner loop.** In a group every line crosses every row once. With u the place, in pixels, where line k
 * crosses a row, the weight of pixel i is hat((u − i)/H), hat(d) = max(0, 1 − |d|), and u grows with k by a
 * constant. So a row gives to the sums, and in the adjoint a group's sums to the row, by resampling it at
 * places in equal steps with that hat, H in steps of the source: `resample` (lines/resample.ts), from four
 * sources (rows, or groups) into one result. The weights of both directions are the same numbers up to
 * rounding.
 *
 * Every sum has one order, whatever the batch.
 */
import { clear, fillQuad, readQuad, readSums, rowsOf, writeSums } from "./lines/layout.ts";
import { four, fraction, pointers, resample, wholePart } from "./lines/resample.ts";

/** Bytes of the description of a group. */
const GROUP = 64;
/**
 * In it: cos θ, sin θ, the image's centre in the quad, and the views of its lanes, counted from 1, negative
 * where their bins run backwards.
 */
const COSINE = 0, SINE = 8, CENTRE_X = 16, CENTRE_Y = 24, VIEWS = 32;

/** Rows of the quad that stay in the cache while all groups pass by. */
const TILE = 16;

/** Writes the description of a group into the scratch memory of the call that comes next. */
export function lineGroup(
  scratch: usize,
  group: i32,
  cosine: f64,
  sine: f64,
  centreX: f64,
  centreY: f64,
  view0: i32,
  view1: i32,
  view2: i32,
  view3: i32,
): void {
  const at = scratch + group * GROUP;
  store<f64>(at, cosine, COSINE);
  store<f64>(at, sine, SINE);
  store<f64>(at, centreX, CENTRE_X);
  store<f64>(at, centreY, CENTRE_Y);
  store<i32>(at, view0, VIEWS);
  store<i32>(at, view1, VIEWS + 4);
  store<i32>(at, view2, VIEWS + 8);
  store<i32>(at, view3, VIEWS + 12);
}

/** The scratch bytes of both functions; `groups` and `side` as they are there. */
export function lineScratch(groups: i32, side: i32, bins: i32, pad: i32): i32 {
  return groups * GROUP + (rowsOf(side) * (side + 2 * pad) + groups * (bins + 2 * pad)) * 16;
}

/**
 * out `[batch, views, bins, channels]` = the sums of x `[batch, height, width, channels]`.
 *
 * @param groups  a multiple of four, described by `lineGroup` in the same scratch memory
 * @param side    the larger of height and width
 * @param pad     zeros that a resampling may meet before and after each row
 * @param spacing of the lines, in pixels
 * @param byBins  whether H is the spacing along a row, so that lines share each pixel out, or else 1 pixel,
 *                so that pixels share each line out
 */
export function lineSums(
  x: usize,
  out: usize,
  batch: i32,
  height: i32,
  width: i32,
  channels: i32,
  views: i32,
  bins: i32,
  groups: i32,
  side: i32,
  pad: i32,
  spacing: f64,
  byBins: i32,
  scratch: usize,
): void {
  const rows = rowsOf(side);
  const stride: usize = (side + 2 * pad) * 16;
  const quad = scratch + groups * GROUP;
  const sums = quad + rows * stride;
  for (let n = 0; n < batch; n++) {
    for (let c = 0; c < channels; c++) {
      fillQuad(x + (n * height * width * channels + c) * 4, quad, height, width, channels, side, pad);
      clear(sums, groups * bins * 16);
      for (let top = 0; top < rows; top += TILE) {
        for (let group = 0; group < groups; group++) {
          const about = scratch + group * GROUP;
          for (let row = top; row < min(top + TILE, rows); row += 4) {
            sumRows(
              about,
              quad + row * stride + pad * 16,
              stride,
              sums + group * bins * 16,
              row,
              side,
              bins,
              spacing,
              byBins,
            );
          }
        }
      }
      for (let group = 0; group < groups; group++) {
        const about = scratch + group * GROUP;
        for (let lane = 0; lane < 4; lane++) {
          const view = load<i32>(about + VIEWS + lane * 4);
          if (view == 0) continue;
          readSums(
            sums + group * bins * 16 + lane * 4,
            out + ((n * views + abs(view) - 1) * bins * channels + c) * 4,
            view < 0,
            bins,
            channels,
            weightOf(about, spacing, byBins),
          );
        }
      }
    }
  }
}

/**
 * out `[batch, height, width, channels]` = the adjoint of `lineSums` at y `[batch, views, bins, channels]`.
 */
export function spreadAlongLines(
  y: usize,
  out: usize,
  batch: i32,
  height: i32,
  width: i32,
  channels: i32,
  views: i32,
  bins: i32,
  groups: i32,
  side: i32,
  pad: i32,
  spacing: f64,
  byBins: i32,
  scratch: usize,
): void {
  const stride: usize = side * 16;
  const length: usize = (bins + 2 * pad) * 16;
  const quad = scratch + groups * GROUP;
  const sums = quad + rowsOf(side) * stride;
  for (let n = 0; n < batch; n++) {
    for (let c = 0; c < channels; c++) {
      clear(sums, groups * length);
      for (let group = 0; group < groups; group++) {
        const about = scratch + group * GROUP;
        for (let lane = 0; lane < 4; lane++) {
          const view = load<i32>(about + VIEWS + lane * 4);
          if (view == 0) continue;
          writeSums(
            y + ((n * views + abs(view) - 1) * bins * channels + c) * 4,
            sums + group * length + pad * 16 + lane * 4,
            view < 0,
            bins,
            channels,
            weightOf(about, spacing, byBins),
          );
        }
      }
      clear(quad, side * stride);
      for (let top = 0; top < side; top += TILE) {
        for (let group = 0; group < groups; group += 4) {
          const about = scratch + group * GROUP;
          for (let row = top; row < min(top + TILE, side); row++) {
            spreadRow(
              about,
              sums + group * length + pad * 16,
              length,
              quad + row * stride,
              row,
              side,
              bins,
              spacing,
              byBins,
            );
          }
        }
      }
      readQuad(quad, out + (n * height * width * channels + c) * 4, height, width, channels, side);
    }
  }
}

/** What a hat's height stands for: the length of the line in a row, or a line's share of a pixel. */
function weightOf(about: usize, spacing: f64, byBins: i32): f32 {
  return <f32> (1 / (byBins ? spacing : load<f64>(about, COSINE)));
}

/** Where line 0 crosses the row, in pixels. */
function crossing(about: usize, row: i32, bins: i32, spacing: f64): f64 {
  const first = -0.5 * <f64> (bins - 1) * spacing;
  const up = load<f64>(about, CENTRE_Y) - <f64> row;
  return load<f64>(about, CENTRE_X) + (first - up * load<f64>(about, SINE)) / load<f64>(about, COSINE);
}

/** Adds four rows of the quad to a group's sums. */
function sumRows(
  about: usize,
  source: usize,
  stride: usize,
  sums: usize,
  row: i32,
  side: i32,
  bins: i32,
  spacing: f64,
  byBins: i32,
): void {
  const step = spacing / load<f64>(about, COSINE);
  const half = byBins ? step : 1.0;
  // Lines cross lower rows further to the right.
  const u0 = crossing(about, row, bins, spacing);
  const u3 = crossing(about, row + 3, bins, spacing);
  const first = max(0, <i32> Math.ceil((-half - u3) / step));
  const end = min(bins, <i32> Math.floor((<f64> (side - 1) + half - u0) / step) + 1);
  if (first >= end) return;
  const from = <f64> first * step;
  const p0 = u0 + from, p3 = u3 + from;
  const p1 = crossing(about, row + 1, bins, spacing) + from;
  const p2 = crossing(about, row + 2, bins, spacing) + from;
  const slope = f32x4.splat(<f32> (1 / half));
  const steps = i32x4.splat(wholePart(step) << 4);
  const fractions = i32x4.splat(fraction(step));
  const at = pointers(source, source + stride, source + 2 * stride, source + 3 * stride, p0, p1, p2, p3);
  const places = four(fraction(p0), fraction(p1), fraction(p2), fraction(p3));
  resample(sums + first * 16, end - first, at, places, steps, fractions, slope, <i32> Math.ceil(half));
}

/** Adds what four groups give to one row of the quad. */
function spreadRow(
  about: usize,
  source: usize,
  length: usize,
  target: usize,
  row: i32,
  side: i32,
  bins: i32,
  spacing: f64,
  byBins: i32,
): void {
  let first = <f64> side, end = 0.0, widest = 0.0;
  for (let i = 0; i < 4; i++) {
    const step = spacing / load<f64>(about + i * GROUP, COSINE);
    const half = byBins ? step : 1.0;
    const u = crossing(about + i * GROUP, row, bins, spacing);
    first = min(first, u - half);
    end = max(end, u + <f64> (bins - 1) * step + half);
    widest = max(widest, half / step);
  }
  const from = max(0, <i32> Math.ceil(first));
  const to = min(side, <i32> Math.floor(end) + 1);
  if (from >= to) return;

  const s0 = load<f64>(about, COSINE) / spacing;
  const s1 = load<f64>(about + GROUP, COSINE) / spacing;
  const s2 = load<f64>(about + 2 * GROUP, COSINE) / spacing;
  const s3 = load<f64>(about + 3 * GROUP, COSINE) / spacing;
  const p0 = (<f64> from - crossing(about, row, bins, spacing)) * s0;
  const p1 = (<f64> from - crossing(about + GROUP, row, bins, spacing)) * s1;
  const p2 = (<f64> from - crossing(about + 2 * GROUP, row, bins, spacing)) * s2;
  const p3 = (<f64> from - crossing(about + 3 * GROUP, row, bins, spacing)) * s3;
  let slope = f32x4.splat(1);
  if (!byBins) {
    slope = f32x4.splat(<f32> (1 / s0));
    slope = f32x4.replace_lane(slope, 1, <f32> (1 / s1));
    slope = f32x4.replace_lane(slope, 2, <f32> (1 / s2));
    slope = f32x4.replace_lane(slope, 3, <f32> (1 / s3));
  }
  const steps = i32x4.shl(four(wholePart(s0), wholePart(s1), wholePart(s2), wholePart(s3)), 4);
  const fractions = four(fraction(s0), fraction(s1), fraction(s2), fraction(s3));
  const at = pointers(source, source + length, source + 2 * length, source + 3 * length, p0, p1, p2, p3);
  const places = four(fraction(p0), fraction(p1), fraction(p2), fraction(p3));
  resample(target + from * 16, to - from, at, places, steps, fractions, slope, <i32> Math.ceil(widest));
}
