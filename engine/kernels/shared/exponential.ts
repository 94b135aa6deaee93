// @ts-nocheck AssemblyScript: compiled by build.ts, not checked by Deno
/**
 * The exponential function and the natural logarithm of four values, by range reduction and Taylor series:
 * right to 2e-7 of themselves, also from and to the denormal numbers.
 */
import { madd } from "./simd.ts";

/** ln 2 in two parts, the first with so few bits that a whole number times it is exact. */
const LN2: f32 = 355.0 / 512, LN2_REST: f32 = -2.1219444005469058e-4;

/**
 * eˣ = 2ⁿ·eʳ with n = round(x / ln 2) and |r| ≤ ½ ln 2. 2ⁿ is two factors, so that what overflows is ∞, and
 * what underflows goes through the denormal numbers to 0.
 */
export function exponential(x: v128): v128 {
  x = f32x4.min(f32x4.max(x, f32x4.splat(-104)), f32x4.splat(89));
  const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(1.4426950408889634)));
  let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(LN2)));
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(LN2_REST)));
  let sum = f32x4.splat(1.0 / 5040);
  sum = madd(sum, r, f32x4.splat(1.0 / 720));
  sum = madd(sum, r, f32x4.splat(1.0 / 120));
  sum = madd(sum, r, f32x4.splat(1.0 / 24));
  sum = madd(sum, r, f32x4.splat(1.0 / 6));
  sum = madd(sum, r, f32x4.splat(0.5));
  sum = madd(sum, r, f32x4.splat(1));
  sum = madd(sum, r, f32x4.splat(1));
  const whole = i32x4.trunc_sat_f32x4_s(n);
  const half = i32x4.shr_s(whole, 1);
  return f32x4.mul(f32x4.mul(sum, powerOfTwo(half)), powerOfTwo(i32x4.sub(whole, half)));
}

/** 2ⁿ of whole numbers n that have a normal power. */
function powerOfTwo(n: v128): v128 {
  return i32x4.shl(i32x4.add(n, i32x4.splat(127)), 23);
}

/**
 * ln x = e·ln 2 + ln m with x = 2ᵉ·m and m in [√½, √2); ln m = 2·artanh s with s = (m − 1) / (m + 1), |s| <
 * 0.172.
 */
export function logarithm(x: v128): v128 {
  const tiny = f32x4.lt(x, f32x4.splat(1.17549435e-38));
  const scaled = v128.bitselect(f32x4.mul(x, f32x4.splat(16777216)), x, tiny);
  // From √½ on the exponent is one more.
  const bits = i32x4.sub(scaled, i32x4.splat(0x3f3504f3));
  let exponent = f32x4.convert_i32x4_s(i32x4.shr_s(bits, 23));
  exponent = f32x4.sub(exponent, v128.and(f32x4.splat(24), tiny));
  const m = i32x4.add(v128.and(bits, i32x4.splat(0x007fffff)), i32x4.splat(0x3f3504f3));
  const one = f32x4.splat(1);
  const f = f32x4.sub(m, one);
  const s = f32x4.div(f, f32x4.add(m, one));
  const z = f32x4.mul(s, s);
  let series = f32x4.splat(2.0 / 9);
  series = madd(series, z, f32x4.splat(2.0 / 7));
  series = madd(series, z, f32x4.splat(2.0 / 5));
  series = madd(series, z, f32x4.splat(2.0 / 3));
  // 2·artanh s = f − s·(f − s²·series), in which f is exact.
  const lnM = f32x4.sub(f, f32x4.mul(s, f32x4.sub(f, f32x4.mul(z, series))));
  const result = madd(exponent, f32x4.splat(LN2), madd(exponent, f32x4.splat(LN2_REST), lnM));
  const limits = v128.bitselect(f32x4.splat(-Infinity), result, f32x4.eq(x, f32x4.splat(0)));
  const upper = v128.bitselect(x, limits, f32x4.eq(x, f32x4.splat(Infinity)));
  return v128.bitselect(upper, f32x4.splat(NaN), f32x4.ge(x, f32x4.splat(0)));
}
