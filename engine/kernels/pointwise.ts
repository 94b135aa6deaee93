// @ts-nocheck AssemblyScript: compiled by build.ts, not checked by Deno
/**
 * Kernels that meet each value once: sums and products, leaky ReLU, mean absolute and squared differences, Adam.
 *
 * They are bound by memory, so each is one pass of 4-wide vectors, four at a time to keep the loads in flight, and a
 * scalar tail. Pointers are in bytes, `size` in values.
 */
import { exponential, logarithm } from "./shared/exponential.ts";
import { madd } from "./shared/simd.ts";

/** One multiplication and one addition, to see at run time whether this machine rounds once (`fma`) or twice. */
export function multiplyAdd(a: f32, b: f32, c: f32): f32 {
  return f32x4.extract_lane(madd(f32x4.splat(a), f32x4.splat(b), f32x4.splat(c)), 0);
}

/** out = x where `where` is positive, slope·x elsewhere; leaky ReLU itself with `where` = `x`. */
export function leakyRelu(where: usize, x: usize, out: usize, size: i32, slope: f32): void {
  const zero = f32x4.splat(0);
  const slopes = f32x4.splat(slope);
  const end = x + (<usize> size << 2);
  const end4 = x + (<usize> (size & ~15) << 2);
  const end1 = x + (<usize> (size & ~3) << 2);
  for (; x < end4; x += 64, where += 64, out += 64) {
    const x0 = v128.load(x), x1 = v128.load(x, 16), x2 = v128.load(x, 32), x3 = v128.load(x, 48);
    v128.store(out, v128.bitselect(x0, f32x4.mul(x0, slopes), f32x4.gt(v128.load(where), zero)));
    v128.store(out, v128.bitselect(x1, f32x4.mul(x1, slopes), f32x4.gt(v128.load(where, 16), zero)), 16);
    v128.store(out, v128.bitselect(x2, f32x4.mul(x2, slopes), f32x4.gt(v128.load(where, 32), zero)), 32);
    v128.store(out, v128.bitselect(x3, f32x4.mul(x3, slopes), f32x4.gt(v128.load(where, 48), zero)), 48);
  }
  for (; x < end1; x += 16, where += 16, out += 16) {
    const x0 = v128.load(x);
    v128.store(out, v128.bitselect(x0, f32x4.mul(x0, slopes), f32x4.gt(v128.load(where), zero)));
  }
  for (; x < end; x += 4, where += 4, out += 4) {
    const value = load<f32>(x);
    store<f32>(out, load<f32>(where) > 0 ? value : value * slope);
  }
}

/** out = x where `where` lies in [low, high], 0 elsewhere. */
export function within(where: usize, x: usize, out: usize, size: i32, low: f32, high: f32): void {
  const lows = f32x4.splat(low), highs = f32x4.splat(high);
  const end = x + (<usize> size << 2);
  const end1 = x + (<usize> (size & ~3) << 2);
  for (; x < end1; x += 16, where += 16, out += 16) {
    const value = v128.load(where);
    const inside = v128.and(f32x4.ge(value, lows), f32x4.le(value, highs));
    v128.store(out, v128.and(v128.load(x), inside));
  }
  for (; x < end; x += 4, where += 4, out += 4) {
    const value = load<f32>(where);
    store<f32>(out, value >= low && value <= high ? load<f32>(x) : 0);
  }
}

/** What `combine` does; 6, what is left, squares the difference. */
const ADD = 0, SUBTRACT = 1, MULTIPLY = 2, DIVIDE = 3, LARGER = 4, SMALLER = 5;

/**
 * out = a + b, a − b, a·b, a/b, max(a, b), min(a, b) or (a − b)², of `size` values; a or b is one value for all where
 * `one` is 1 or 2. The choice is made anew for every 16 values, which no processor mistakes twice.
 */
export function combine(what: i32, one: i32, a: usize, b: usize, out: usize, size: i32): void {
  const stepA: usize = one == 1 ? 0 : 64, stepB: usize = one == 2 ? 0 : 64;
  let a0 = v128.load32_splat(a), a1 = a0, a2 = a0, a3 = a0;
  let b0 = v128.load32_splat(b), b1 = b0, b2 = b0, b3 = b0;
  const end = out + (<usize> size << 2);
  const end4 = out + (<usize> (size & ~15) << 2);
  for (; out < end4; out += 64, a += stepA, b += stepB) {
    if (one != 1) a0 = v128.load(a), a1 = v128.load(a, 16), a2 = v128.load(a, 32), a3 = v128.load(a, 48);
    if (one != 2) b0 = v128.load(b), b1 = v128.load(b, 16), b2 = v128.load(b, 32), b3 = v128.load(b, 48);
    if (what == ADD) {
      v128.store(out, f32x4.add(a0, b0));
      v128.store(out, f32x4.add(a1, b1), 16);
      v128.store(out, f32x4.add(a2, b2), 32);
      v128.store(out, f32x4.add(a3, b3), 48);
    } else if (what == SUBTRACT) {
      v128.store(out, f32x4.sub(a0, b0));
      v128.store(out, f32x4.sub(a1, b1), 16);
      v128.store(out, f32x4.sub(a2, b2), 32);
      v128.store(out, f32x4.sub(a3, b3), 48);
    } else if (what == MULTIPLY) {
      v128.store(out, f32x4.mul(a0, b0));
      v128.store(out, f32x4.mul(a1, b1), 16);
      v128.store(out, f32x4.mul(a2, b2), 32);
      v128.store(out, f32x4.mul(a3, b3), 48);
    } else {
      v128.store(out, combineFour(what, a0, b0));
      v128.store(out, combineFour(what, a1, b1), 16);
      v128.store(out, combineFour(what, a2, b2), 32);
      v128.store(out, combineFour(what, a3, b3), 48);
    }
  }
  for (; out < end; out += 4, a += stepA >> 4, b += stepB >> 4) {
    store<f32>(out, f32x4.extract_lane(combineFour(what, v128.load32_zero(a), v128.load32_zero(b)), 0));
  }
}

/** One vector of `combine`. */
function combineFour(what: i32, a: v128, b: v128): v128 {
  if (what == ADD) return f32x4.add(a, b);
  if (what == MULTIPLY) return f32x4.mul(a, b);
  if (what == DIVIDE) return f32x4.div(a, b);
  if (what == LARGER) return f32x4.max(a, b);
  if (what == SMALLER) return f32x4.min(a, b);
  const difference = f32x4.sub(a, b);
  return what == SUBTRACT ? difference : f32x4.mul(difference, difference);
}

/** What `transform` does; 10, what is left, limits to [p, q]. */
const NEGATE = 0, SQUARE = 1, ROOT = 2, INVERSE_ROOT = 3, INVERSE = 4, MAGNITUDE = 5, RECTIFY = 6, SIGN = 7;
const EXPONENTIAL = 8, LOGARITHM = 9;

/** out = −x, x², √x, 1/√x, 1/x, |x|, max(x, 0), sign x, eˣ, ln x or min(max(x, p), q). */
export function transform(what: i32, x: usize, out: usize, size: i32, p: f32, q: f32): void {
  const end = x + (<usize> size << 2);
  const end1 = x + (<usize> (size & ~3) << 2);
  for (; x < end1; x += 16, out += 16) v128.store(out, transformFour(what, v128.load(x), p, q));
  for (; x < end; x += 4, out += 4) {
    store<f32>(out, f32x4.extract_lane(transformFour(what, v128.load32_zero(x), p, q), 0));
  }
}

/** One vector of `transform`. */
function transformFour(what: i32, x: v128, p: f32, q: f32): v128 {
  const zero = f32x4.splat(0), one = f32x4.splat(1);
  if (what == NEGATE) return f32x4.neg(x);
  if (what == SQUARE) return f32x4.mul(x, x);
  if (what == ROOT) return f32x4.sqrt(x);
  if (what == INVERSE_ROOT) return f32x4.div(one, f32x4.sqrt(x));
  if (what == INVERSE) return f32x4.div(one, x);
  if (what == MAGNITUDE) return f32x4.abs(x);
  if (what == RECTIFY) return f32x4.max(x, zero);
  if (what == SIGN) return f32x4.sub(v128.and(f32x4.gt(x, zero), one), v128.and(f32x4.lt(x, zero), one));
  if (what == EXPONENTIAL) return exponential(x);
  if (what == LOGARITHM) return logarithm(x);
  return f32x4.min(f32x4.max(x, f32x4.splat(p)), f32x4.splat(q));
}

/** Values that are summed in single precision before they are added to the total in double. */
const BLOCK = 4096;

/** out[0] = mean |a − b|. */
export function meanAbsolute(a: usize, b: usize, out: usize, size: i32): void {
  let total: f64 = 0;
  for (let done = 0; done < size; done += BLOCK) {
    const count = min(BLOCK, size - done);
    let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0), s3 = f32x4.splat(0);
    let i = 0;
    for (; i + 16 <= count; i += 16, a += 64, b += 64) {
      s0 = f32x4.add(s0, f32x4.abs(f32x4.sub(v128.load(a), v128.load(b))));
      s1 = f32x4.add(s1, f32x4.abs(f32x4.sub(v128.load(a, 16), v128.load(b, 16))));
      s2 = f32x4.add(s2, f32x4.abs(f32x4.sub(v128.load(a, 32), v128.load(b, 32))));
      s3 = f32x4.add(s3, f32x4.abs(f32x4.sub(v128.load(a, 48), v128.load(b, 48))));
    }
    total += laneSum(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
    for (; i < count; i++, a += 4, b += 4) total += <f64> abs(load<f32>(a) - load<f32>(b));
  }
  store<f32>(out, <f32> (total / <f64> size));
}

/** out[0] = mean (a − b)². */
export function meanSquare(a: usize, b: usize, out: usize, size: i32): void {
  let total: f64 = 0;
  for (let done = 0; done < size; done += BLOCK) {
    const count = min(BLOCK, size - done);
    let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0), s3 = f32x4.splat(0);
    let i = 0;
    for (; i + 16 <= count; i += 16, a += 64, b += 64) {
      const d0 = f32x4.sub(v128.load(a), v128.load(b));
      const d1 = f32x4.sub(v128.load(a, 16), v128.load(b, 16));
      const d2 = f32x4.sub(v128.load(a, 32), v128.load(b, 32));
      const d3 = f32x4.sub(v128.load(a, 48), v128.load(b, 48));
      s0 = madd(d0, d0, s0);
      s1 = madd(d1, d1, s1);
      s2 = madd(d2, d2, s2);
      s3 = madd(d3, d3, s3);
    }
    total += laneSum(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
    for (; i < count; i++, a += 4, b += 4) {
      const difference = <f64> (load<f32>(a) - load<f32>(b));
      total += difference * difference;
    }
  }
  store<f32>(out, <f32> (total / <f64> size));
}

/** out = gradient[0]·sign(a − b) / size. */
export function meanAbsoluteGradient(a: usize, b: usize, gradient: usize, out: usize, size: i32): void {
  const zero = f32x4.splat(0);
  const step = load<f32>(gradient) / <f32> size;
  const up = f32x4.splat(step);
  const down = f32x4.splat(-step);
  const end = a + (<usize> size << 2);
  const end1 = a + (<usize> (size & ~3) << 2);
  for (; a < end1; a += 16, b += 16, out += 16) {
    const difference = f32x4.sub(v128.load(a), v128.load(b));
    const positive = v128.and(up, f32x4.gt(difference, zero));
    v128.store(out, v128.or(positive, v128.and(down, f32x4.lt(difference, zero))));
  }
  for (; a < end; a += 4, b += 4, out += 4) {
    const difference = load<f32>(a) - load<f32>(b);
    store<f32>(out, difference > 0 ? step : difference < 0 ? -step : 0);
  }
}

/** out = gradient[0]·2(a − b) / size. */
export function meanSquareGradient(a: usize, b: usize, gradient: usize, out: usize, size: i32): void {
  const factor = load<f32>(gradient) * (2 / <f32> size);
  const factors = f32x4.splat(factor);
  const end = a + (<usize> size << 2);
  const end1 = a + (<usize> (size & ~3) << 2);
  for (; a < end1; a += 16, b += 16, out += 16) {
    v128.store(out, f32x4.mul(f32x4.sub(v128.load(a), v128.load(b)), factors));
  }
  for (; a < end; a += 4, b += 4, out += 4) store<f32>(out, (load<f32>(a) - load<f32>(b)) * factor);
}

/**
 * One step of Adam with the bias corrections already in its rate and epsilon, which `pace` points to:
 * m ← m + (1 − β1)(g − m), v ← v + (1 − β2)(g² − v), w ← w − rate·m / (√v + epsilon). Each output may be its input's memory.
 */
export function adam(
  w: usize,
  g: usize,
  m: usize,
  v: usize,
  newW: usize,
  newM: usize,
  newV: usize,
  pace: usize,
  size: i32,
  fresh1: f32, // 1 − β1
  fresh2: f32, // 1 − β2
): void {
  const rates = v128.load32_splat(pace), epsilons = v128.load32_splat(pace, 4);
  const share1 = f32x4.splat(fresh1), share2 = f32x4.splat(fresh2);
  const end = g + (<usize> size << 2);
  const end1 = g + (<usize> (size & ~3) << 2);
  while (g < end1) {
    const gradient = v128.load(g);
    const oldM = v128.load(m);
    const oldV = v128.load(v);
    const mean = madd(share1, f32x4.sub(gradient, oldM), oldM);
    const square = madd(share2, f32x4.sub(f32x4.mul(gradient, gradient), oldV), oldV);
    v128.store(newM, mean);
    v128.store(newV, square);
    const move = f32x4.div(f32x4.mul(rates, mean), f32x4.add(f32x4.sqrt(square), epsilons));
    v128.store(newW, f32x4.sub(v128.load(w), move));
    g += 16, w += 16, m += 16, v += 16, newW += 16, newM += 16, newV += 16;
  }
  while (g < end) {
    // The same instructions on one lane, so that a value's bits do not depend on where in the array it stands.
    const gradient = v128.load32_zero(g);
    const oldM = v128.load32_zero(m);
    const oldV = v128.load32_zero(v);
    const mean = madd(share1, f32x4.sub(gradient, oldM), oldM);
    const square = madd(share2, f32x4.sub(f32x4.mul(gradient, gradient), oldV), oldV);
    store<f32>(newM, f32x4.extract_lane(mean, 0));
    store<f32>(newV, f32x4.extract_lane(square, 0));
    const move = f32x4.div(f32x4.mul(rates, mean), f32x4.add(f32x4.sqrt(square), epsilons));
    store<f32>(newW, f32x4.extract_lane(f32x4.sub(v128.load32_zero(w), move), 0));
    g += 4, w += 4, m += 4, v += 4, newW += 4, newM += 4, newV += 4;
  }
}

/** The four lanes added in double precision. */
function laneSum(x: v128): f64 {
  return (<f64> f32x4.extract_lane(x, 0) + <f64> f32x4.extract_lane(x, 1)) +
    (<f64> f32x4.extract_lane(x, 2) + <f64> f32x4.extract_lane(x, 3));
}
