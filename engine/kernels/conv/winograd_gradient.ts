// @ts-nocheck AssemblyScript: compiled by build.ts, not checked by Deno
/**
 * The filter gradient of a 3x3 convolution by Winograd's F(4x4, 3x3), the transpose of `winograd.ts`.
 *
 * There a tile's outputs are Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A; the gradient of ⟨e, outputs⟩ in the filter g is
 * therefore Gᵀ[(A e Aᵀ) ⊙ (Bᵀ d B)]G, and the sum over tiles may be taken inside: the inputs' tiles d and the
 * gradients' tiles e are transformed, 36 matrix products [ins, tiles]·[tiles, outs] summed over the blocks in
 * order, and the sums transformed back once.
 */
import { lane0, lane1, lane2, lane3, madd } from "../shared/simd.ts";
import { clearFloats } from "./layout.ts";
import { alongRows, downInputs, eightByEight } from "./winograd.ts";

/** Tiles of a block at the least: each block's products are added in memory. */
const BLOCK = 32;

function rowsOfBlock(tileRows: i32, across: i32): i32 {
  return min((BLOCK + across - 1) / across, tileRows);
}

/**
 * x `[n, h, w, ins]` with `padding` zeros around it, e `[n, outHeight, outWidth, outs]`, out `[3, 3, ins,
 * outs]`.
 */
export function winogradGradient(
  x: usize,
  e: usize,
  out: usize,
  n: i32,
  h: i32,
  w: i32,
  ins: i32,
  outs: i32,
  padding: i32,
  outHeight: i32,
  outWidth: i32,
  scratch: usize,
): void {
  const across = (outWidth + 3) >> 2;
  const down = (outHeight + 3) >> 2;
  const tileRows = n * down;
  const blockRows = rowsOfBlock(tileRows, across);
  const columns = across * 4 + 2;
  const xPlane = columns * 96; // of one tile row's columns, four channels
  const ePlane = across * 384;
  const fours = ins >> 2;
  const xPointPlane = blockRows * across * 96; // of a block's tiles, four channels
  const ePointPlane = blockRows * across * 192; // of a block's tiles, eight channels

  const xPointBytes = fours * xPointPlane; // of one transformed row
  const ePointBytes = (outs >> 3) * ePointPlane;
  const eights = eightByEight(blockRows == tileRows, ins, outs);
  const layers = eights ? 6 : 1;

  const zeros = scratch;
  const xVertical = zeros + ((columns * max(ins, outs)) << 2);
  const eVertical = xVertical + blockRows * fours * xPlane;
  const xPoints = eVertical + blockRows * (outs >> 2) * ePlane;
  const ePoints = xPoints + layers * xPointBytes;
  const sums = ePoints + layers * ePointBytes;
  clearFloats(zeros, (xPoints - zeros) >> 2); // columns beyond the images too

  for (let first = 0; first < tileRows; first += blockRows) {
    const rows = min(blockRows, tileRows - first);
    for (let r = 0; r < rows; r++) {
      const image = (first + r) / down;
      const row = (first + r - image * down) * 4;
      const xImage = x + ((image * h * w * ins) << 2);
      const eImage = e + ((image * outHeight * outWidth * outs) << 2);
      const xTo = xVertical + r * fours * xPlane;
      const eTo = eVertical + r * (outs >> 2) * ePlane;
      downInputs(xImage, row - padding, h, w, ins, padding, columns, zeros, xTo, xPlane);
      downGradients(eImage, row, outHeight, outWidth, outs, zeros, eTo, ePlane);
    }
    for (let i = 0; i < 6; i++) {
      const layer = eights ? i : 0;
      const xTo = xPoints + layer * xPointBytes;
      const eTo = ePoints + layer * ePointBytes;
      alongRows(xVertical + (i << 4), xTo, rows, fours, across, xPlane, xPointPlane);
      alongGradientRows(eVertical + (i << 4), eTo, rows, outs >> 2, across, ePlane, ePointPlane);
      if (eights) continue;
      for (let k = 0, sum = sums + i * 768; k < outs >> 3; k++) {
        for (let c = 0; c < fours; c++, sum += 4608) {
          multiply(xTo + c * xPointPlane, eTo + k * ePointPlane, sum, rows * across, first > 0);
        }
      }
    }
  }
  for (let k = 0, sum = sums; k < outs >> 3; k++) {
    for (let c = 0; c < fours; c++) {
      if (eights) {
        for (let i = 0; i < 6; i++) {
          const xFrom = xPoints + i * xPointBytes + c * xPointPlane;
          const eFrom = ePoints + i * ePointBytes + k * ePointPlane;
          multiply(xFrom, eFrom, sum + i * 768, tileRows * across, false);
        }
      }
      for (let lane = 0; lane < 4; lane++) {
        const to = out + (((c * 4 + lane) * outs + k * 8) << 2);
        transformBack(sum + (lane << 5), to, (ins * outs) << 2, zeros);
        transformBack(sum + (lane << 5) + 16, to + 16, (ins * outs) << 2, zeros);
      }
      if (!eights) sum += 4608;
    }
  }
}

/** The scratch bytes of `winogradGradient`. */
export function winogradGradientScratch(n: i32, ins: i32, outs: i32, outHeight: i32, outWidth: i32): i32 {
  const across = (outWidth + 3) >> 2;
  const tileRows = n * ((outHeight + 3) >> 2);
  const blockRows = rowsOfBlock(tileRows, across);
  const eights = eightByEight(blockRows == tileRows, ins, outs);
  const columns = across * 4 + 2;
  const tiles = blockRows * across;
  const vertical = columns * max(ins, outs) * 4 + blockRows * ins * columns * 24 + tiles * outs * 96;
  return vertical + (eights ? 6 : 1) * tiles * (ins + outs) * 24 + (eights ? 4608 : outs * ins * 144);
}

/** A down the columns: four rows of the gradient from `row` on, to `[outs/4][column][6][4]`. */
function downGradients(
  e: usize,
  row: i32,
  h: i32,
  w: i32,
  outs: i32,
  zeros: usize,
  out: usize,
  plane: i32,
): void {
  const pixelBytes = outs << 2;
  const rowBytes = w * pixelBytes;
  const e0 = e + row * rowBytes;
  const e1 = row + 1 < h ? e0 + rowBytes : zeros;
  const e2 = row + 2 < h ? e0 + rowBytes * 2 : zeros;
  const e3 = row + 3 < h ? e0 + rowBytes * 3 : zeros;
  if (outs <= 16) {
    for (let k = 0; k < pixelBytes; k += 16, out += plane) {
      downGradientsRun(e0 + k, e1 + k, e2 + k, e3 + k, out, w, pixelBytes, 96, f32x4.splat(4));
    }
  } else {
    for (let j = 0, p = 0; j < w; j++, p += pixelBytes, out += 96) {
      downGradientsRun(e0 + p, e1 + p, e2 + p, e3 + p, out, outs >> 2, 16, plane, f32x4.splat(4));
    }
  }
}

function downGradientsRun(
  e0: usize,
  e1: usize,
  e2: usize,
  e3: usize,
  out: usize,
  count: i32,
  eStep: i32,
  outStep: i32,
  four: v128,
): void {
  for (const end = out + count * outStep; out < end; out += outStep) {
    const a0 = v128.load(e0), a1 = v128.load(e1), a2 = v128.load(e2), a3 = v128.load(e3);
    const even = f32x4.add(a0, a2), odd = f32x4.add(a1, a3);
    const p = madd(four, a2, a0), half = madd(four, a3, a1), q = f32x4.add(half, half);
    v128.store(out, a0);
    v128.store(out, f32x4.add(even, odd), 16);
    v128.store(out, f32x4.sub(even, odd), 32);
    v128.store(out, f32x4.add(p, q), 48);
    v128.store(out, f32x4.sub(p, q), 64);
    v128.store(out, a3, 80);
    e0 += eStep, e1 += eStep, e2 += eStep, e3 += eStep;
  }
}

/** A along a row: four neighbouring columns to a tile's six points, 32 bytes apart. */
function alongGradients(e: usize, out: usize, tiles: i32, four: v128): void {
  for (const end = out + tiles * 192; out < end; out += 192, e += 384) {
    const a0 = v128.load(e), a1 = v128.load(e, 96), a2 = v128.load(e, 192), a3 = v128.load(e, 288);
    const even = f32x4.add(a0, a2), odd = f32x4.add(a1, a3);
    const p = madd(four, a2, a0), half = madd(four, a3, a1), q = f32x4.add(half, half);
    v128.store(out, a0);
    v128.store(out, f32x4.add(even, odd), 32);
    v128.store(out, f32x4.sub(even, odd), 64);
    v128.store(out, f32x4.add(p, q), 96);
    v128.store(out, f32x4.sub(p, q), 128);
    v128.store(out, a3, 160);
  }
}

/** `alongGradients` for all channels of a block's tile rows, to `[outs/8][tile][6][8]`. */
function alongGradientRows(
  vertical: usize,
  points: usize,
  rows: i32,
  fours: i32,
  across: i32,
  plane: i32,
  pointPlane: i32,
): void {
  for (let r = 0; r < rows; r++, points += across * 192) {
    for (let k = 0; k < fours; k++, vertical += plane) {
      alongGradients(vertical, points + (k >> 1) * pointPlane + ((k & 1) << 4), across, f32x4.splat(4));
    }
  }
}

/**
 * Six products [4, tiles]·[tiles, 8], one a point of a transformed row, to `[6][4][8]`: the tile of registers
 * is that of `filterGradient`, with tiles for pixels.
 */
function multiply(x: usize, e: usize, out: usize, tiles: i32, add: bool): void {
  const zero = f32x4.splat(0);
  const bytes = tiles * 96;
  for (let point = 0; point < 6; point++, x += 16, e += 32, out += 128) {
    let a0 = zero, a1 = zero, a2 = zero, a3 = zero;
    let b0 = zero, b1 = zero, b2 = zero, b3 = zero;
    let p = x, q = e;
    for (const end = x + bytes; p < end; p += 96, q += 192) {
      const v = v128.load(p), ea = v128.load(q), eb = v128.load(q, 16);
      let s = lane0(v);
      a0 = madd(s, ea, a0), b0 = madd(s, eb, b0), s = lane1(v);
      a1 = madd(s, ea, a1), b1 = madd(s, eb, b1), s = lane2(v);
      a2 = madd(s, ea, a2), b2 = madd(s, eb, b2), s = lane3(v);
      a3 = madd(s, ea, a3), b3 = madd(s, eb, b3);
    }
    if (add) {
      a0 = f32x4.add(v128.load(out), a0), b0 = f32x4.add(v128.load(out, 16), b0);
      a1 = f32x4.add(v128.load(out, 32), a1), b1 = f32x4.add(v128.load(out, 48), b1);
      a2 = f32x4.add(v128.load(out, 64), a2), b2 = f32x4.add(v128.load(out, 80), b2);
      a3 = f32x4.add(v128.load(out, 96), a3), b3 = f32x4.add(v128.load(out, 112), b3);
    }
    v128.store(out, a0), v128.store(out, b0, 16);
    v128.store(out, a1, 32), v128.store(out, b1, 48);
    v128.store(out, a2, 64), v128.store(out, b2, 80);
    v128.store(out, a3, 96), v128.store(out, b3, 112);
  }
}

/** Gᵀ m G of 36 vectors 128 bytes apart, to nine vectors `tapBytes` apart. `rows` is room for 18 vectors. */
function transformBack(m: usize, out: usize, tapBytes: i32, rows: usize): void {
  const quarter = f32x4.splat(0.25), sixth = f32x4.splat(1.0 / 6.0), half = f32x4.splat(0.5);
  for (let r = rows, end = rows + 96; r < end; r += 16, m += 128) {
    const m1 = v128.load(m, 768), m2 = v128.load(m, 1536), m3 = v128.load(m, 2304), m4 = v128.load(m, 3072);
    const s = f32x4.add(m1, m2), t = f32x4.add(m3, m4);
    v128.store(r, madd(sixth, f32x4.sub(f32x4.mul(quarter, t), s), f32x4.mul(quarter, v128.load(m))));
    v128.store(r, f32x4.mul(sixth, madd(half, f32x4.sub(m3, m4), f32x4.sub(m2, m1))), 96);
    v128.store(r, madd(sixth, f32x4.sub(t, s), v128.load(m, 3840)), 192);
  }
  for (let r = rows, end = rows + 288; r < end; r += 96, out += 3 * tapBytes) {
    const m1 = v128.load(r, 16), m2 = v128.load(r, 32), m3 = v128.load(r, 48), m4 = v128.load(r, 64);
    const s = f32x4.add(m1, m2), t = f32x4.add(m3, m4);
    v128.store(out, madd(sixth, f32x4.sub(f32x4.mul(quarter, t), s), f32x4.mul(quarter, v128.load(r))));
    v128.store(out + tapBytes, f32x4.mul(sixth, madd(half, f32x4.sub(m3, m4), f32x4.sub(m2, m1))));
    v128.store(out + 2 * tapBytes, madd(sixth, f32x4.sub(t, s), v128.load(r, 80)));
  }
}
