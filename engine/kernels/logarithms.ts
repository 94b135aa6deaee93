// @ts-nocheck AssemblyScript: compiled by build.ts, not checked by Deno
/**
 * Matrix products of numbers that are given by their logarithms, however large or small they are.
 *
 * Where one matrix is nearly a band, as a Gaussian's logarithm is, few terms of a sum count. Bounds for eight
 * terms at a time tell which can be passed over.
 *
 * Pointers are in bytes, sizes in values.
 */
import { logarithm } from "./shared/exponential.ts";
import { get, put } from "./shared/lanes.ts";
import { madd } from "./shared/simd.ts";

/** Terms that have a bound in common. */
const BLOCK = 8;
/** Terms below the largest by more than this count as none: e⁻¹⁸ is 1.5e-8. */
const NEGLIGIBLE: f32 = -18;

/** The bytes of the constants of a sum. As numbers in its loop they would be made anew at each use. */
const CONSTANTS = 160;

/** The bytes of the constants and of the bounds: of y a row a block, of one row of x a value a block. */
export function logProductScratch(inner: i32, columns: i32): i32 {
  return CONSTANTS + 4 * ((inner + BLOCK - 1) / BLOCK) * (columns + 1);
}

/**
 * out `[rows, columns]` = ln Σ e^(x + y) over the inner index of x `[rows, inner]` and y `[inner, columns]`.
 */
export function logProduct(
  x: usize,
  y: usize,
  out: usize,
  rows: i32,
  inner: i32,
  columns: i32,
  scratch: usize,
): void {
  const constants = scratch;
  writeConstants(constants);
  scratch += CONSTANTS;
  const blocks = (inner + BLOCK - 1) / BLOCK;
  const ofX = scratch + <usize> (4 * blocks * columns);
  for (let block = 0; block < blocks; block++) {
    const first = y + <usize> (4 * block * BLOCK * columns);
    const count = min(BLOCK, inner - block * BLOCK);
    for (let c = 0; c < columns; c++) {
      store<f32>(
        scratch + <usize> (4 * (block * columns + c)),
        largestOf(first + <usize> (4 * c), count, columns),
      );
    }
  }
  const four = columns & ~3;
  for (let row = 0; row < rows; row++, x += <usize> inner << 2, out += <usize> columns << 2) {
    for (let block = 0; block < blocks; block++) {
      const first = x + <usize> (4 * block * BLOCK);
      store<f32>(ofX + <usize> (4 * block), largestOf(first, min(BLOCK, inner - block * BLOCK), 1));
    }
    let c = 0, at: usize = 0, near = 0;
    for (; c < four; c += 4, at += 16) {
      near = logSum<v128>(x, y + at, out + at, inner, columns, ofX, scratch + at, near, constants);
    }
    for (; c < columns; c++, at += 4) {
      near = logSum<f32>(x, y + at, out + at, inner, columns, ofX, scratch + at, near, constants);
    }
  }
}

/** 1 / ln 2, 1.5·2²³, what is negligible, and the coefficients (ln 2)ⁿ/n! of 2ᶠ from the constant one on. */
function writeConstants(at: usize): void {
  const ln2: f64 = 0.6931471805599453;
  v128.store(at, f32x4.splat(<f32> (1 / ln2)));
  v128.store(at, f32x4.splat(12582912), 16);
  v128.store(at, f32x4.splat(NEGLIGIBLE), 32);
  let coefficient: f64 = 1;
  for (let n = 0; n <= 6; n++) {
    v128.store(at + <usize> (16 * n), f32x4.splat(<f32> coefficient), 48);
    coefficient *= ln2 / <f64> (n + 1);
  }
}

/** The largest of `count` values that are `step` apart. */
function largestOf(at: usize, count: i32, step: i32): f32 {
  let largest: f32 = -Infinity;
  for (let i = 0; i < count; i++, at += <usize> step << 2) largest = max(largest, load<f32>(at));
  return largest;
}

/**
 * One sum for each lane: the largest term is found first, and taken out of the sum. The search begins in the
 * block `near`; the block that raised it last is returned, where the next columns will find theirs.
 *
 * eˣ = 2ⁿ·2ᶠ with n = round(x / ln 2), f between -½ and ½, and six terms of the series of 2ᶠ. Adding `round`
 * leaves n in the last bits.
 */
function logSum<Lanes>(
  x: usize,
  y: usize,
  out: usize,
  inner: i32,
  columns: i32,
  boundsOfX: usize,
  boundsOfY: usize,
  near: i32,
  constants: usize,
): i32 {
  const step = <usize> columns << 2;
  const end = x + (<usize> inner << 2);
  let largest = largestTerm<Lanes>(x, y, end, step, near, f32x4.splat(-Infinity));
  let found = near;
  let block = 0;
  for (let i = x, k = boundsOfX, l = boundsOfY; i < end; i += 4 * BLOCK, k += 4, l += step, block++) {
    const bound = f32x4.add(v128.load32_splat(k), get<Lanes>(l));
    if (!v128.any_true(f32x4.gt(bound, largest))) continue;
    largest = largestTerm<Lanes>(x, y, end, step, block, largest);
    found = block;
  }
  const perLn2 = v128.load(constants), round = v128.load(constants, 16);
  const least = f32x4.add(largest, v128.load(constants, 32));
  const c0 = v128.load(constants, 48), c1 = v128.load(constants, 64), c2 = v128.load(constants, 80);
  const c3 = v128.load(constants, 96), c4 = v128.load(constants, 112), c5 = v128.load(constants, 128);
  const c6 = v128.load(constants, 144);
  let sum = f32x4.splat(0);
  block = 0;
  for (let i = x, k = boundsOfX, l = boundsOfY; i < end; i += 4 * BLOCK, k += 4, l += step, block++) {
    const bound = f32x4.add(v128.load32_splat(k), get<Lanes>(l));
    if (!v128.any_true(f32x4.gt(bound, least))) continue;
    const last = min(i + 4 * BLOCK, end);
    for (let m = i, n = y + <usize> (block * BLOCK) * step; m < last; m += 4, n += step) {
      const term = f32x4.add(v128.load32_splat(m), get<Lanes>(n));
      const counts = f32x4.gt(term, least);
      const power = f32x4.mul(f32x4.sub(term, largest), perLn2);
      const whole = f32x4.add(power, round);
      const f = f32x4.sub(power, f32x4.sub(whole, round));
      let series = madd(c6, f, c5);
      series = madd(series, f, c4);
      series = madd(series, f, c3);
      series = madd(series, f, c2);
      series = madd(series, f, c1);
      series = madd(series, f, c0);
      sum = f32x4.add(sum, v128.and(i32x4.add(series, i32x4.shl(whole, 23)), counts));
    }
  }
  put<Lanes>(out, f32x4.add(largest, logarithm(sum)));
  return found;
}

/** The larger of `largest` and a block's terms. */
function largestTerm<Lanes>(x: usize, y: usize, end: usize, step: usize, block: i32, largest: v128): v128 {
  const first = x + <usize> (4 * BLOCK * block);
  const last = min(first + 4 * BLOCK, end);
  for (let i = first, j = y + <usize> (block * BLOCK) * step; i < last; i += 4, j += step) {
    largest = f32x4.pmax(largest, f32x4.add(v128.load32_splat(i), get<Lanes>(j)));
  }
  return largest;
}
