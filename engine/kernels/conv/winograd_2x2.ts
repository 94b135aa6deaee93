// @ts-nocheck AssemblyScript: compiled by build.ts, not checked by Deno
/**
 * Winograd's F(2x2, 2x2): stride-1 2x2 convolutions without padding, and their two gradients, with 9/16 of the
 * multiplications.
 *
 * **What is computed.** Each 2x2 tile of outputs depends on a 3x3 tile d of inputs, and with the points 0, 1 and
 * ∞ in the construction of Lavin & Gray 2016 (arXiv:1509.09308, section 4) it is Eᵀ[(E g Eᵀ) ⊙ (Bᵀ d B)]E,
 *
 *          ⎡ 1 −1  0 ⎤       ⎡ 1  0 ⎤
 *     Bᵀ = ⎢ 0  1  0 ⎥   E = ⎢ 1  1 ⎥
 *          ⎣ 0 −1  1 ⎦       ⎣ 0  1 ⎦
 *
 * in one dimension Karatsuba's (d0 − d1)g0 + d1(g0 + g1) and d1(g0 + g1) + (d2 − d1)g1. It is linear in d and in
 * g, so for a gradient e of the outputs the gradient in d is B[(E g Eᵀ) ⊙ (E e Eᵀ)]Bᵀ, where neighbouring tiles
 * overlap and add up, and the gradient in g is Eᵀ[(E e Eᵀ) ⊙ (Bᵀ d B)]E: no tile is computed for the sake of a
 * border. The sums over channels, or in the filter's gradient over tiles, are taken before the last step, as
 * nine matrix products.
 *
 * **How.** Whatever is transformed lies in units of nine vectors of four neighbouring channels (144 bytes), which
 * fit the registers: images `[ins/4][tile]`, filters `[outs/8][ins][2]`, products `[tile][2]`. Tiles go by in
 * blocks of tile rows that the caches hold.
 *
 * Larger tiles multiply less, 25/64 for F(4x4, 2x2), but make 25 numbers of a filter's four, which on a critic's
 * small images with many channels costs more than they save. Sums and differences of two numbers round little: the
 * error is that of the direct way.
 */
import { lane0, lane1, lane2, lane3, madd } from "../shared/simd.ts";
import { packBlocks } from "./layout.ts";

/** Tiles of a block at the least: below, the filter's numbers are loaded too often for what they do. */
const BLOCK = 32;

function rowsOfBlock(tileRows: i32, across: i32): i32 {
  return min((BLOCK + across - 1) / across, tileRows);
}

/** x `[n, h, w, ins]` to y `[n, h − 1, w − 1, outs]`, with h and w odd; filter `[2, 2, ins, outs]`. */
export function forward2x2(
  x: usize,
  filter: usize,
  y: usize,
  n: i32,
  h: i32,
  w: i32,
  ins: i32,
  outs: i32,
  scratch: usize,
): void {
  convolveTiles(false, x, filter, y, n, h, w, ins, outs, ins * outs, outs, 1, scratch);
}

/** The gradient e `[n, h − 1, w − 1, outs]` of y to that of x `[n, h, w, ins]`. */
export function backward2x2(
  e: usize,
  filter: usize,
  x: usize,
  n: i32,
  h: i32,
  w: i32,
  ins: i32,
  outs: i32,
  scratch: usize,
): void {
  convolveTiles(true, e, filter, x, n, h, w, outs, ins, ins * outs, 1, outs, scratch);
}

/** The scratch bytes of `forward2x2`, and with inputs and outputs swapped of `backward2x2`. */
export function convolve2x2Scratch(n: i32, h: i32, w: i32, ins: i32, outs: i32): i32 {
  const across = w >> 1;
  const tiles = (rowsOfBlock(n * (h >> 1), across) * across + 3) & ~3;
  return tiles * ins * 36 + tiles * 288 + ins * 128 + ins * outs * 36;
}

/** Both directions: `from` is y's gradient where it goes `back` to x, whose size is h x w. */
function convolveTiles(
  back: bool,
  from: usize,
  filter: usize,
  to: usize,
  n: i32,
  h: i32,
  w: i32,
  ins: i32,
  outs: i32,
  tapStride: i32,
  inStride: i32,
  outStride: i32,
  scratch: usize,
): void {
  const across = w >> 1;
  const down = h >> 1;
  const tileRows = n * down;
  const blockRows = rowsOfBlock(tileRows, across);
  const tiles = (blockRows * across + 3) & ~3;
  const plane = tiles * 144;
  const fours = ins >> 2;
  const fromPixel = ins << 2, toPixel = outs << 2;
  const fromRow = (back ? w - 1 : w) * fromPixel, toRow = (back ? w : w - 1) * toPixel;
  const fromImage = (back ? h - 1 : h) * fromRow, toImage = (back ? h : h - 1) * toRow;

  const products = scratch + fours * plane;
  const packed = products + tiles * 288;
  const filters = packed + (ins << 7);
  for (let k = 0, unit = filters; k < outs; k += 8, unit += ins * 288) {
    const eight = filter + ((k * outStride) << 2);
    transformFilter(eight, tapStride, inStride, outStride, ins, unit, packed);
  }
  for (let first = 0; first < tileRows; first += blockRows) {
    const rows = min(blockRows, tileRows - first);
    for (let r = 0, unit = scratch; r < rows; r++, unit += across * 144) {
      const image = (first + r) / down;
      const source = from + image * fromImage + 2 * (first + r - image * down) * fromRow;
      for (let c = 0; c < fours; c++) {
        if (back) expand(source + (c << 4), 2 * fromPixel, fromPixel, fromRow, unit + c * plane, 144, across);
        else differences(source + (c << 4), fromPixel, fromRow, unit + c * plane, across);
      }
    }
    for (let k = 0, unit = filters; k < outs; k += 8, unit += ins * 288) {
      multiply(scratch, unit, products, fours, rows * across, plane);
      for (let r = 0, product = products; r < rows; r++, product += across * 288) {
        const image = (first + r) / down;
        const row = first + r - image * down;
        const target = to + image * toImage + 2 * row * toRow + (k << 2);
        if (back) {
          addDifferences(product, target, toPixel, toRow, across, row > 0);
          addDifferences(product + 144, target + 16, toPixel, toRow, across, row > 0);
        } else {
          contract(product, 288, target, 2 * toPixel, toPixel, toRow, across);
          contract(product + 144, 288, target + 16, 2 * toPixel, toPixel, toRow, across);
        }
      }
    }
  }
}

/** E g Eᵀ of `ins` x 8 filters to `[ins][2]` units; one whose outputs are not neighbours is packed first. */
function transformFilter(
  filter: usize,
  tapStride: i32,
  inStride: i32,
  outStride: i32,
  ins: i32,
  out: usize,
  packed: usize,
): void {
  let tap = tapStride << 2, step = inStride << 2;
  if (outStride != 1) {
    packBlocks(filter, packed, 4, ins, 8, tapStride, inStride, outStride);
    filter = packed, tap = ins << 5, step = 32;
  }
  expand(filter, step, tap, 2 * tap, out, 288, ins);
  expand(filter + 16, step, tap, 2 * tap, out + 144, 288, ins);
}

/** E a Eᵀ of `count` 2x2 tiles a, whose other numbers are `right` and `below` of their first. */
export function expand(
  a: usize,
  step: i32,
  right: i32,
  below: i32,
  out: usize,
  outStep: i32,
  count: i32,
): void {
  for (const end = out + count * outStep; out < end; out += outStep, a += step) {
    const b = a + below;
    const a0 = v128.load(a), a1 = v128.load(a + right), b0 = v128.load(b), b1 = v128.load(b + right);
    const s0 = f32x4.add(a0, b0), s1 = f32x4.add(a1, b1);
    v128.store(out, a0), v128.store(out, f32x4.add(a0, a1), 16), v128.store(out, a1, 32);
    v128.store(out, s0, 48), v128.store(out, f32x4.add(s0, s1), 64), v128.store(out, s1, 80);
    v128.store(out, b0, 96), v128.store(out, f32x4.add(b0, b1), 112), v128.store(out, b1, 128);
  }
}

/** Eᵀ m E, the adjoint of `expand`. */
export function contract(
  m: usize,
  step: i32,
  out: usize,
  outStep: i32,
  right: i32,
  below: i32,
  count: i32,
): void {
  for (const end = m + count * step; m < end; m += step, out += outStep) {
    const m0 = v128.load(m, 48), m1 = v128.load(m, 64), m2 = v128.load(m, 80);
    let a = f32x4.add(v128.load(m, 16), m1);
    v128.store(out, f32x4.add(f32x4.add(v128.load(m), m0), a));
    v128.store(out + right, f32x4.add(a, f32x4.add(v128.load(m, 32), m2)));
    a = f32x4.add(m1, v128.load(m, 112));
    v128.store(out + below, f32x4.add(f32x4.add(m0, v128.load(m, 96)), a));
    v128.store(out + below + right, f32x4.add(a, f32x4.add(m2, v128.load(m, 128))));
  }
}

/** Bᵀ d B of a row of `count` 3x3 tiles d, two columns apart. */
export function differences(x: usize, pixelBytes: i32, rowBytes: i32, out: usize, count: i32): void {
  const twoRows = 2 * rowBytes;
  let a0 = v128.load(x), b0 = v128.load(x + rowBytes), c0 = v128.load(x + twoRows);
  a0 = f32x4.sub(a0, b0), c0 = f32x4.sub(c0, b0);
  for (const end = out + count * 144; out < end; out += 144) {
    x += pixelBytes;
    const b1 = v128.load(x + rowBytes);
    const a1 = f32x4.sub(v128.load(x), b1), c1 = f32x4.sub(v128.load(x + twoRows), b1);
    x += pixelBytes;
    const b2 = v128.load(x + rowBytes);
    const a2 = f32x4.sub(v128.load(x), b2), c2 = f32x4.sub(v128.load(x + twoRows), b2);
    v128.store(out, f32x4.sub(a0, a1)), v128.store(out, a1, 16), v128.store(out, f32x4.sub(a2, a1), 32);
    v128.store(out, f32x4.sub(b0, b1), 48), v128.store(out, b1, 64), v128.store(out, f32x4.sub(b2, b1), 80);
    v128.store(out, f32x4.sub(c0, c1), 96), v128.store(out, c1, 112), v128.store(out, f32x4.sub(c2, c1), 128);
    a0 = a2, b0 = b2, c0 = c2;
  }
}

/**
 * B m Bᵀ of a row of tiles, the adjoint of `differences`: where tiles overlap they add up, with the row above too
 * where there is one.
 */
function addDifferences(
  m: usize,
  out: usize,
  pixelBytes: i32,
  rowBytes: i32,
  count: i32,
  above: bool,
): void {
  const twoRows = 2 * rowBytes;
  let a = f32x4.splat(0), b = a, c = a; // the last column of the tile before
  if (above) a = v128.load(out);
  for (const end = m + count * 288; m < end; m += 288) {
    // Down the columns: the unit's three rows m0, m1, m2 become m0, m1 − m0 − m2, m2.
    const a0 = v128.load(m), a1 = v128.load(m, 16), a2 = v128.load(m, 32);
    const c0 = v128.load(m, 96), c1 = v128.load(m, 112), c2 = v128.load(m, 128);
    const b0 = f32x4.sub(v128.load(m, 48), f32x4.add(a0, c0));
    const b1 = f32x4.sub(v128.load(m, 64), f32x4.add(a1, c1));
    const b2 = f32x4.sub(v128.load(m, 80), f32x4.add(a2, c2));
    v128.store(out, f32x4.add(a, a0));
    v128.store(out + rowBytes, f32x4.add(b, b0));
    v128.store(out + twoRows, f32x4.add(c, c0));
    out += pixelBytes;
    a = f32x4.sub(a1, f32x4.add(a0, a2));
    if (above) a = f32x4.add(v128.load(out), a);
    v128.store(out, a);
    v128.store(out + rowBytes, f32x4.sub(b1, f32x4.add(b0, b2)));
    v128.store(out + twoRows, f32x4.sub(c1, f32x4.add(c0, c2)));
    out += pixelBytes;
    a = above ? f32x4.add(v128.load(out), a2) : a2, b = b2, c = c2;
  }
  v128.store(out, a), v128.store(out + rowBytes, b), v128.store(out + twoRows, c);
}

/**
 * Nine products [tiles, ins]·[ins, 8]. The tile of registers is that of `convolveBlocks`, with tiles for pixels;
 * those that fill up the last four hold anything, and nobody reads what becomes of them.
 */
function multiply(points: usize, filter: usize, out: usize, fours: i32, tiles: i32, plane: i32): void {
  const limit = fours * plane;
  const zero = f32x4.splat(0);
  for (let point = 0; point < 9; point++, points += 16, filter += 16, out += 16) {
    let o = out;
    let start = points;
    for (let tile = 0; tile < tiles; tile += 4, o += 1152, start += 576) {
      let a0 = zero, a1 = zero, a2 = zero, a3 = zero;
      let b0 = zero, b1 = zero, b2 = zero, b3 = zero;
      for (let x = start, f = filter, end = start + limit; x < end; x += plane, f += 1152) {
        const v0 = v128.load(x), v1 = v128.load(x, 144), v2 = v128.load(x, 288), v3 = v128.load(x, 432);
        let fa = v128.load(f), fb = v128.load(f, 144), s = lane0(v0);
        a0 = madd(s, fa, a0), b0 = madd(s, fb, b0), s = lane0(v1);
        a1 = madd(s, fa, a1), b1 = madd(s, fb, b1), s = lane0(v2);
        a2 = madd(s, fa, a2), b2 = madd(s, fb, b2), s = lane0(v3);
        a3 = madd(s, fa, a3), b3 = madd(s, fb, b3);
        fa = v128.load(f, 288), fb = v128.load(f, 432), s = lane1(v0);
        a0 = madd(s, fa, a0), b0 = madd(s, fb, b0), s = lane1(v1);
        a1 = madd(s, fa, a1), b1 = madd(s, fb, b1), s = lane1(v2);
        a2 = madd(s, fa, a2), b2 = madd(s, fb, b2), s = lane1(v3);
        a3 = madd(s, fa, a3), b3 = madd(s, fb, b3);
        fa = v128.load(f, 576), fb = v128.load(f, 720), s = lane2(v0);
        a0 = madd(s, fa, a0), b0 = madd(s, fb, b0), s = lane2(v1);
        a1 = madd(s, fa, a1), b1 = madd(s, fb, b1), s = lane2(v2);
        a2 = madd(s, fa, a2), b2 = madd(s, fb, b2), s = lane2(v3);
        a3 = madd(s, fa, a3), b3 = madd(s, fb, b3);
        fa = v128.load(f, 864), fb = v128.load(f, 1008), s = lane3(v0);
        a0 = madd(s, fa, a0), b0 = madd(s, fb, b0), s = lane3(v1);
        a1 = madd(s, fa, a1), b1 = madd(s, fb, b1), s = lane3(v2);
        a2 = madd(s, fa, a2), b2 = madd(s, fb, b2), s = lane3(v3);
        a3 = madd(s, fa, a3), b3 = madd(s, fb, b3);
      }
      v128.store(o, a0), v128.store(o, b0, 144);
      v128.store(o, a1, 288), v128.store(o, b1, 432);
      v128.store(o, a2, 576), v128.store(o, b2, 720);
      v128.store(o, a3, 864), v128.store(o, b3, 1008);
    }
  }
}
