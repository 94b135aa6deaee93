// @ts-nocheck AssemblyScript: compiled by build.ts, not checked by Deno
/**
 * The filter gradient of a 2x2 convolution by Winograd's F(2x2, 2x2) (`winograd_2x2.ts`): Eᵀ[(E e Eᵀ) ⊙ (Bᵀ d B)]E,
 * the sum over tiles taken inside the brackets as nine matrix products [ins, tiles]·[tiles, outs], which are summed
 * over the blocks in order.
 */
import { lane0, lane1, lane2, lane3, madd } from "../shared/simd.ts";
import { contract, differences, expand } from "./winograd_2x2.ts";

/** Tiles of a block at the least: each block's products are added in memory. */
const BLOCK = 64;

function rowsOfBlock(tileRows: i32, across: i32): i32 {
  return min((BLOCK + across - 1) / across, tileRows);
}

/** x `[n, h, w, ins]` with h and w odd, e `[n, h − 1, w − 1, outs]`, out `[2, 2, ins, outs]`. */
export function gradient2x2(
  x: usize,
  e: usize,
  out: usize,
  n: i32,
  h: i32,
  w: i32,
  ins: i32,
  outs: i32,
  scratch: usize,
): void {
  const across = w >> 1;
  const down = h >> 1;
  const tileRows = n * down;
  const blockRows = rowsOfBlock(tileRows, across);
  const plane = blockRows * across * 144;
  const xPixel = ins << 2, ePixel = outs << 2;
  const xRow = w * xPixel, eRow = (w - 1) * ePixel;
  const fours = ins >> 2;
  const eUnits = scratch + fours * plane;
  const sums = eUnits + (outs >> 2) * plane;
  const oneBlock = blockRows == tileRows;

  for (let first = 0; first < tileRows; first += blockRows) {
    const rows = min(blockRows, tileRows - first);
    for (let r = 0, offset = 0; r < rows; r++, offset += across * 144) {
      const image = (first + r) / down;
      const row = 2 * (first + r - image * down);
      const xFrom = x + (image * h + row) * xRow;
      const eFrom = e + (image * (h - 1) + row) * eRow;
      for (let c = 0; c < fours; c++) {
        differences(xFrom + (c << 4), xPixel, xRow, scratch + c * plane + offset, across);
      }
      for (let k = 0; k < outs >> 2; k++) {
        expand(eFrom + (k << 4), 2 * ePixel, ePixel, eRow, eUnits + k * plane + offset, 144, across);
      }
    }
    for (let k = 0, sum = sums; k < outs >> 2; k += 2) {
      for (let c = 0; c < fours; c++, sum += oneBlock ? 0 : 1152) {
        multiply(scratch + c * plane, eUnits + k * plane, plane, sum, rows * across, first > 0);
        if (first + rows < tileRows) continue;
        const to = out + (((c << 2) * outs + (k << 2)) << 2);
        contract(sum, 288, to, ePixel, ins * ePixel, 2 * ins * ePixel, 4);
        contract(sum + 144, 288, to + 16, ePixel, ins * ePixel, 2 * ins * ePixel, 4);
      }
    }
  }
}

/** The scratch bytes of `gradient2x2`. */
export function gradient2x2Scratch(n: i32, h: i32, w: i32, ins: i32, outs: i32): i32 {
  const across = w >> 1;
  const tileRows = n * (h >> 1);
  const blockRows = rowsOfBlock(tileRows, across);
  return blockRows * across * (ins + outs) * 36 + (blockRows == tileRows ? 1152 : ins * outs * 36);
}

/**
 * Nine products [4, tiles]·[tiles, 8] to `[4][2]` units: the tile of registers is that of `filterGradient`, with
 * tiles for pixels.
 */
function multiply(x: usize, e: usize, plane: i32, out: usize, tiles: i32, add: bool): void {
  const zero = f32x4.splat(0);
  const bytes = tiles * 144;
  for (let point = 0; point < 9; point++, x += 16, e += 16, out += 16) {
    let a0 = zero, a1 = zero, a2 = zero, a3 = zero;
    let b0 = zero, b1 = zero, b2 = zero, b3 = zero;
    let p = x, q = e, r = e + plane;
    for (const end = x + bytes; p < end; p += 144, q += 144, r += 144) {
      const v = v128.load(p), ea = v128.load(q), eb = v128.load(r);
      let s = lane0(v);
      a0 = madd(s, ea, a0), b0 = madd(s, eb, b0), s = lane1(v);
      a1 = madd(s, ea, a1), b1 = madd(s, eb, b1), s = lane2(v);
      a2 = madd(s, ea, a2), b2 = madd(s, eb, b2), s = lane3(v);
      a3 = madd(s, ea, a3), b3 = madd(s, eb, b3);
    }
    if (add) {
      a0 = f32x4.add(v128.load(out), a0), b0 = f32x4.add(v128.load(out, 144), b0);
      a1 = f32x4.add(v128.load(out, 288), a1), b1 = f32x4.add(v128.load(out, 432), b1);
      a2 = f32x4.add(v128.load(out, 576), a2), b2 = f32x4.add(v128.load(out, 720), b2);
      a3 = f32x4.add(v128.load(out, 864), a3), b3 = f32x4.add(v128.load(out, 1008), b3);
    }
    v128.store(out, a0), v128.store(out, b0, 144);
    v128.store(out, a1, 288), v128.store(out, b1, 432);
    v128.store(out, a2, 576), v128.store(out, b2, 720);
    v128.store(out, a3, 864), v128.store(out, b3, 1008);
  }
}
