// @ts-nocheck AssemblyScript: compiled by build.ts, not checked by Deno
/**
 * Adding up sources that are resampled at places in equal steps.
 *
 * Places are pointers and 31 binary digits after the point, the carry of which moves the pointers: a thousand
 * steps are exact to a millionth of a step of the source.
 */
import { lane0, lane1, lane2, lane3, madd } from "../shared/simd.ts";

/** Digits after the point of a place, as the number of places that they tell apart. */
const DIGITS: f64 = 2147483648.0;

/**
 * Adds four resampled sources to `count` quads from `out` on. A hat of half-width `reach` or less covers
 * 2·reach neighbours, which are taken two by two.
 */
export function resample(
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

/**
 * One such two: the weight of the first is first + place·byFirst, where that is positive, and so of the
 * second.
 */
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
    let sum = v128.load(out);
    sum = madd(v128.load(p0), lane0(a), sum);
    sum = madd(v128.load(p0, 16), lane0(b), sum);
    sum = madd(v128.load(p1), lane1(a), sum);
    sum = madd(v128.load(p1, 16), lane1(b), sum);
    sum = madd(v128.load(p2), lane2(a), sum);
    sum = madd(v128.load(p2, 16), lane2(b), sum);
    sum = madd(v128.load(p3), lane3(a), sum);
    sum = madd(v128.load(p3, 16), lane3(b), sum);
    v128.store(out, sum);
    places = i32x4.add(places, fractions);
    at = i32x4.add(i32x4.add(at, steps), v128.and(i32x4.shr_u(places, 27), vector));
    places = v128.and(places, digits);
  }
}

export function wholePart(place: f64): i32 {
  return <i32> Math.floor(place);
}

/** The digits after the point, times 2³¹. */
export function fraction(place: f64): i32 {
  return <i32> ((place - Math.floor(place)) * DIGITS);
}

export function four(a: i32, b: i32, c: i32, d: i32): v128 {
  let lanes = i32x4.splat(a);
  lanes = i32x4.replace_lane(lanes, 1, b);
  lanes = i32x4.replace_lane(lanes, 2, c);
  return i32x4.replace_lane(lanes, 3, d);
}

/** Where four sources have their places: pointers to the neighbours before them. */
export function pointers(a: usize, b: usize, c: usize, d: usize, p0: f64, p1: f64, p2: f64, p3: f64): v128 {
  return four(
    <i32> a + (wholePart(p0) << 4),
    <i32> b + (wholePart(p1) << 4),
    <i32> c + (wholePart(p2) << 4),
    <i32> d + (wholePart(p3) << 4),
  );
}
