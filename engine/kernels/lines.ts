// @ts-nocheck AssemblyScript: compiled by build.ts, not checked by Deno
/**
 * Sums of an image along parallel lines from many sides, and their adjoint.
 *
 * **Four views at once.** Views whose lines mirror each other in the axes and diagonals of the image share their
 * geometry: what view θ sees of the image, view π − θ sees of its mirror image, and π/2 ∓ θ of these two with x
 * and y exchanged. So the image is laid out once as a square of four lanes (image, x and y exchanged, turned by
 * a quarter, mirrored: *the quad*), and one pass along lines with 0 ≤ θ ≤ π/4 serves a *group* of four views. Lanes
 * that no view needs hold zeros or go unread.
 *
 * **One inner loop.** In a group every line crosses every row once. With u the place, in pixels, where line k crosses
 * a row, the weight of pixel i is hat((u − i)/H), hat(d) = max(0, 1 − |d|), and u grows with k by a constant.
 * So a row gives to the sums, and in the adjoint a group's sums to the row, by resampling at places in equal steps with a hat of
 * half-width H in steps of the source: `resample`, from four sources (rows, or groups) into one result. The weights
 * of both directions are the same numbers up to rounding.
 *
 * Places are fixed-point numbers of 31 binary digits after the point, the carry of which moves the pointers.
 * Every sum has one order, whatever the batch.
 */
import { lane0, lane1, lane2, lane3, madd } from "./shared/simd.ts";

/** Bytes of the description of a group. */
const GROUP = 64;
/** In it: cos θ, sin θ, the image's centre in the quad, and the views of its lanes, counted from 1, −view where its bins run backwards. */
const COSINE = 0, SINE = 8, CENTRE_X = 16, CENTRE_Y = 24, VIEWS = 32;

/** Digits after the point of a place, as the number of places that they tell apart. */
const DIGITS: f64 = 2147483648.0;

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
 * @param byBins  whether H is the spacing along a row, so that lines share each pixel out, or else 1 pixel, so that
 *                pixels share each line out
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

/** out `[batch, height, width, channels]` = the adjoint of `lineSums` at y `[batch, views, bins, channels]`. */
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

/** Rows of the quad, in fours. */
function rowsOf(side: i32): i32 {
  return (side + 3) & ~3;
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

/**
 * Adds four resampled sources to `count` quads from `out` on. A hat of half-width `reach` or less covers 2·reach
 * neighbours, which are taken two by two.
 */
function resample(
  out: usize,
  count: i32,
  at: v128,
  places: v128,
  steps: v128,
  fractions: v128,
  slope: v128,
  reach: i32,
): void {
  for (let j = 1 - reach; j < reach; j += 2) {
    resamplePair(
      out,
      count,
      i32x4.add(at, i32x4.splat(j << 4)),
      places,
      steps,
      fractions,
      height(j, slope),
      inclination(j, slope),
      height(j + 1, slope),
      inclination(j + 1, slope),
    );
  }
}

/** The hat of a neighbour that is j steps on, where the place is on a neighbour: 1 − |j|·slope. */
function height(j: i32, slope: v128): v128 {
  return f32x4.sub(f32x4.splat(1), f32x4.mul(f32x4.splat(<f32> abs(j)), slope));
}

/** How it changes with the digits after the point. */
function inclination(j: i32, slope: v128): v128 {
  return f32x4.mul(f32x4.splat(<f32> (j > 0 ? 1 / DIGITS : -1 / DIGITS)), slope);
}

/** One such two: the weight of the first is first + place·byFirst, where that is positive, and so of the second. */
function resamplePair(
  out: usize,
  count: i32,
  at: v128,
  places: v128,
  steps: v128,
  fractions: v128,
  first: v128,
  byFirst: v128,
  second: v128,
  bySecond: v128,
): void {
  const zero = f32x4.splat(0), vector = i32x4.splat(16), digits = i32x4.splat(0x7fffffff);
  for (; count > 0; count--, out += 16) {
    const place = f32x4.convert_i32x4_s(places);
    const a = f32x4.pmax(madd(place, byFirst, first), zero);
    const b = f32x4.pmax(madd(place, bySecond, second), zero);
    const p0 = <usize> i32x4.extract_lane(at, 0);
    const p1 = <usize> i32x4.extract_lane(at, 1);
    const p2 = <usize> i32x4.extract_lane(at, 2);
    const p3 = <usize> i32x4.extract_lane(at, 3);
    // The second first: its bounds check makes the first one's needless.
    let sum = v128.load(out);
    sum = madd(v128.load(p0, 16), lane0(b), sum);
    sum = madd(v128.load(p0), lane0(a), sum);
    sum = madd(v128.load(p1, 16), lane1(b), sum);
    sum = madd(v128.load(p1), lane1(a), sum);
    sum = madd(v128.load(p2, 16), lane2(b), sum);
    sum = madd(v128.load(p2), lane2(a), sum);
    sum = madd(v128.load(p3, 16), lane3(b), sum);
    sum = madd(v128.load(p3), lane3(a), sum);
    v128.store(out, sum);
    places = i32x4.add(places, fractions);
    at = i32x4.add(i32x4.add(at, steps), v128.and(i32x4.shr_u(places, 27), vector));
    places = v128.and(places, digits);
  }
}

// Places as fixed-point numbers.

function wholePart(place: f64): i32 {
  return <i32> Math.floor(place);
}

/** The digits after the point, times 2³¹. */
function fraction(place: f64): i32 {
  return <i32> ((place - Math.floor(place)) * DIGITS);
}

function four(a: i32, b: i32, c: i32, d: i32): v128 {
  let lanes = i32x4.splat(a);
  lanes = i32x4.replace_lane(lanes, 1, b);
  lanes = i32x4.replace_lane(lanes, 2, c);
  return i32x4.replace_lane(lanes, 3, d);
}

function pointers(a: usize, b: usize, c: usize, d: usize, p0: f64, p1: f64, p2: f64, p3: f64): v128 {
  return four(
    <i32> a + (wholePart(p0) << 4),
    <i32> b + (wholePart(p1) << 4),
    <i32> c + (wholePart(p2) << 4),
    <i32> d + (wholePart(p3) << 4),
  );
}

// Into the layouts of four lanes, and back. The image is in the middle of its square.

function fillQuad(x: usize, quad: usize, height: i32, width: i32, channels: i32, side: i32, pad: i32): void {
  const stride: usize = (side + 2 * pad) * 16;
  clear(quad, rowsOf(side) * stride);
  const top = (side - height) >> 1, left = (side - width) >> 1;
  const origin = quad + pad * 16;
  for (let row = 0; row < height; row++) {
    const upright = origin + (top + row) * stride;
    const across = origin + (top + height - 1 - row) * 16;
    for (let column = 0; column < width; column++, x += channels * 4) {
      const value = load<f32>(x);
      store<f32>(upright + (left + column) * 16, value);
      store<f32>(across + (left + width - 1 - column) * stride, value, 4);
      store<f32>(across + (left + column) * stride, value, 8);
      store<f32>(upright + (left + width - 1 - column) * 16, value, 12);
    }
  }
}

function readQuad(quad: usize, out: usize, height: i32, width: i32, channels: i32, side: i32): void {
  const stride: usize = side * 16;
  const top = (side - height) >> 1, left = (side - width) >> 1;
  for (let row = 0; row < height; row++) {
    const upright = quad + (top + row) * stride;
    const across = quad + (top + height - 1 - row) * 16;
    for (let column = 0; column < width; column++, out += channels * 4) {
      const both = load<f32>(upright + (left + column) * 16) +
        load<f32>(upright + (left + width - 1 - column) * 16, 12);
      const turned = load<f32>(across + (left + width - 1 - column) * stride, 4) +
        load<f32>(across + (left + column) * stride, 8);
      store<f32>(out, both + turned);
    }
  }
}

function readSums(sums: usize, out: usize, backwards: bool, bins: i32, channels: i32, weight: f32): void {
  const step: isize = backwards ? -16 : 16;
  if (backwards) sums += (bins - 1) * 16;
  for (let bin = 0; bin < bins; bin++, sums += step, out += channels * 4) {
    store<f32>(out, weight * load<f32>(sums));
  }
}

function writeSums(y: usize, sums: usize, backwards: bool, bins: i32, channels: i32, weight: f32): void {
  const step: isize = backwards ? -16 : 16;
  if (backwards) sums += (bins - 1) * 16;
  for (let bin = 0; bin < bins; bin++, sums += step, y += channels * 4) {
    store<f32>(sums, weight * load<f32>(y));
  }
}

function clear(at: usize, bytes: usize): void {
  for (const end = at + bytes; at < end; at += 16) v128.store(at, f32x4.splat(0));
}
