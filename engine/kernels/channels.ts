// @ts-nocheck AssemblyScript: compiled by build.ts, not checked by Deno
/**
 * Kernels with one number for each channel: biases and slopes, and the sums over pixels that are their
 * gradients.
 *
 * Images are `[pixels, channels]`. Pointers are in bytes, sizes in values.
 */
import { get, put } from "./shared/lanes.ts";

/** out = x + bias of its channel. */
export function addToChannels(x: usize, bias: usize, out: usize, pixels: i32, channels: i32): void {
  const four = channels & ~3;
  for (let pixel = 0; pixel < pixels; pixel++) {
    let c = 0, at: usize = 0;
    for (; c < four; c += 4, at += 16) {
      v128.store(out + at, f32x4.add(v128.load(x + at), v128.load(bias + at)));
    }
    for (; c < channels; c++, at += 4) store<f32>(out + at, load<f32>(x + at) + load<f32>(bias + at));
    x += at, out += at;
  }
}

/** out = positive·x where `where` is positive, slope of its channel·x elsewhere. */
export function prelu(
  where: usize,
  x: usize,
  slope: usize,
  out: usize,
  pixels: i32,
  channels: i32,
  positive: f32,
): void {
  const four = channels & ~3;
  for (let pixel = 0; pixel < pixels; pixel++) {
    let c = 0, at: usize = 0;
    for (; c < four; c += 4, at += 16) bend<v128>(where + at, x + at, slope + at, out + at, positive);
    for (; c < channels; c++, at += 4) bend<f32>(where + at, x + at, slope + at, out + at, positive);
    where += at, x += at, out += at;
  }
}

function bend<Lanes>(where: usize, x: usize, slope: usize, out: usize, positive: f32): void {
  const isPositive = f32x4.gt(get<Lanes>(where), f32x4.splat(0));
  put<Lanes>(
    out,
    f32x4.mul(get<Lanes>(x), v128.bitselect(f32x4.splat(positive), get<Lanes>(slope), isPositive)),
  );
}

/** Pixels that are summed in single precision before they are added to the total in double. */
const BLOCK = 64;

/** The bytes of the totals in double precision. */
export function channelSumsScratch(channels: i32): i32 {
  return 8 * channels;
}

/** out `[channels]` = the sums of x over the pixels. */
export function channelSums(x: usize, out: usize, pixels: i32, channels: i32, scratch: usize): void {
  sumChannels(x, x, x, out, pixels, channels, scratch, false);
}

/** out `[channels]` = the sums of x·y over the pixels where `where` is not positive. */
export function preluSlopes(
  where: usize,
  x: usize,
  y: usize,
  out: usize,
  pixels: i32,
  channels: i32,
  scratch: usize,
): void {
  sumChannels(where, x, y, out, pixels, channels, scratch, true);
}

function sumChannels(
  where: usize,
  x: usize,
  y: usize,
  out: usize,
  pixels: i32,
  channels: i32,
  totals: usize,
  products: bool,
): void {
  memory.fill(totals, 0, 8 * channels);
  const four = channels & ~3;
  const row = <usize> channels << 2;
  for (let done = 0; done < pixels; done += BLOCK) {
    const count = min(BLOCK, pixels - done);
    let c = 0, at: usize = 0;
    for (; c < four; c += 4, at += 16) {
      const sum = sumBlock<v128>(where + at, x + at, y + at, count, row, products);
      addTotal(totals + 2 * at, f64x2.promote_low_f32x4(sum));
      addTotal(totals + 2 * at + 16, f64x2.promote_low_f32x4(v128.shuffle<f32>(sum, sum, 2, 3, 2, 3)));
    }
    for (; c < channels; c++, at += 4) {
      const sum = sumBlock<f32>(where + at, x + at, y + at, count, row, products);
      store<f64>(totals + 2 * at, load<f64>(totals + 2 * at) + <f64> f32x4.extract_lane(sum, 0));
    }
    const next = row * count;
    where += next, x += next, y += next;
  }
  for (let c = 0; c < channels; c++, out += 4, totals += 8) store<f32>(out, <f32> load<f64>(totals));
}

function sumBlock<Lanes>(where: usize, x: usize, y: usize, count: i32, row: usize, products: bool): v128 {
  let sum = f32x4.splat(0);
  for (let pixel = 0; pixel < count; pixel++, where += row, x += row, y += row) {
    if (!products) sum = f32x4.add(sum, get<Lanes>(x));
    else {
      const product = f32x4.mul(get<Lanes>(x), get<Lanes>(y));
      sum = f32x4.add(sum, v128.andnot(product, f32x4.gt(get<Lanes>(where), f32x4.splat(0))));
    }
  }
  return sum;
}

function addTotal(at: usize, sums: v128): void {
  v128.store(at, f64x2.add(v128.load(at), sums));
}
