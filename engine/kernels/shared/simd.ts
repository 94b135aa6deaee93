// deno-fmt-ignore-file: dprint drops the `@inline` decorators of functions.
// @ts-nocheck AssemblyScript: compiled by build.ts, not checked by Deno

/**
 * a·b + c: one fused instruction in the class `fma`, a product and a sum in `muladd` (README.md, Arithmetic).
 */
@inline export function madd(a: v128, b: v128, c: v128): v128 {
  return FMA ? f32x4.relaxed_madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
}

/** One lane of x in all four lanes; from a register this is cheaper than four checked broadcast loads. */
@inline export function lane0(x: v128): v128 { return v128.shuffle<f32>(x, x, 0, 0, 0, 0); }
@inline export function lane1(x: v128): v128 { return v128.shuffle<f32>(x, x, 1, 1, 1, 1); }
@inline export function lane2(x: v128): v128 { return v128.shuffle<f32>(x, x, 2, 2, 2, 2); }
@inline export function lane3(x: v128): v128 { return v128.shuffle<f32>(x, x, 3, 3, 3, 3); }

/** The four sums over the lanes of a, b, c and d: [Σa, Σb, Σc, Σd]. */
@inline export function sumLanes(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = f32x4.add(v128.shuffle<f32>(a, b, 0, 4, 1, 5), v128.shuffle<f32>(a, b, 2, 6, 3, 7));
  const cd = f32x4.add(v128.shuffle<f32>(c, d, 0, 4, 1, 5), v128.shuffle<f32>(c, d, 2, 6, 3, 7));
  return f32x4.add(v128.shuffle<f32>(ab, cd, 0, 1, 4, 5), v128.shuffle<f32>(ab, cd, 2, 3, 6, 7));
}
