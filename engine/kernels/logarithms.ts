// @ts-nocheck AssemblyScript: compiled by build.ts, not checked by Deno
/**
 * Matrix products of numbers that are given by their logarithms, however large or small they are.
 *
 * Pointers are in bytes, sizes in values.
 */
import { exponential, logarithm } from "./shared/exponential.ts";
import { get, put } from "./shared/lanes.ts";

/** Terms that are smaller than the largest by this factor's exponential do not count: e⁻²⁵ is 1.4e-11. */
const NEGLIGIBLE: f32 = -25;

/** out `[rows, columns]` = ln Σ e^(x + y) over the inner index of x `[rows, inner]` and y `[inner, columns]`. */
export function logProduct(x: usize, y: usize, out: usize, rows: i32, inner: i32, columns: i32): void {
  const four = columns & ~3;
  for (let row = 0; row < rows; row++, x += <usize> inner << 2, out += <usize> columns << 2) {
    let c = 0, at: usize = 0;
    for (; c < four; c += 4, at += 16) logSum<v128>(x, y + at, out + at, inner, columns);
    for (; c < columns; c++, at += 4) logSum<f32>(x, y + at, out + at, inner, columns);
  }
}

/** One value for each lane: the largest term is found first, and taken out of the sum. */
function logSum<Lanes>(x: usize, y: usize, out: usize, inner: i32, columns: i32): void {
  const step = <usize> columns << 2;
  const end = x + (<usize> inner << 2);
  let largest = f32x4.splat(-Infinity);
  for (let i = x, j = y; i < end; i += 4, j += step) {
    largest = f32x4.pmax(largest, f32x4.add(v128.load32_splat(i), get<Lanes>(j)));
  }
  let sum = f32x4.splat(0);
  for (let i = x, j = y; i < end; i += 4, j += step) {
    const term = f32x4.sub(f32x4.add(v128.load32_splat(i), get<Lanes>(j)), largest);
    if (v128.any_true(f32x4.gt(term, f32x4.splat(NEGLIGIBLE)))) sum = f32x4.add(sum, exponential(term));
  }
  put<Lanes>(out, f32x4.add(largest, logarithm(sum)));
}
