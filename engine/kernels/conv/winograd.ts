// @ts-nocheck AssemblyScript: compiled by build.ts, not checked by Deno
/**
 * Winograd's F(4x4, 3x3): stride-1 3x3 convolutions with a quarter of the multiplications.
 *
 * **What is computed.** Each 4x4 tile of outputs depends on a 6x6 tile d of inputs. With the matrices of
 * Lavin & Gray 2016 (arXiv:1509.09308, section 4.3; the points are 0, ±1, ±2, ∞)
 *
 *          ⎡ 4  0 −5  0  1  0 ⎤        ⎡  1/4     0    0  ⎤
 *          ⎢ 0 −4 −4  1  1  0 ⎥        ⎢ −1/6  −1/6  −1/6 ⎥        ⎡ 1  1  1  1  1  0 ⎤
 *     Bᵀ = ⎢ 0  4 −4 −1  1  0 ⎥    G = ⎢ −1/6   1/6  −1/6 ⎥   Aᵀ = ⎢ 0  1 −1  2 −2  0 ⎥
 *          ⎢ 0 −2 −1  2  1  0 ⎥        ⎢ 1/24  1/12   1/6 ⎥        ⎢ 0  1  1  4  4  0 ⎥
 *          ⎢ 0  2 −1 −2  1  0 ⎥        ⎢ 1/24 −1/12   1/6 ⎥        ⎣ 0  1 −1  8 −8  1 ⎦
 *          ⎣ 0  4  0 −5  0  1 ⎦        ⎣   0     0     1  ⎦
 *
 * the outputs of one channel pair are Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A, and the sum over input channels may be taken
 * before the last step: 36 matrix products [tiles, ins]·[ins, outs] instead of 144 multiplications an output
 * tile.
 *
 * **How.** A transform of a whole 6x6 tile does not fit the registers, so each is two passes, first down the
 * columns (over whole rows of the image), then along the rows. Work goes by blocks of tile rows, at least 16
 * tiles, whose buffers stay in the caches:
 *
 *     image rows ──down──▶ [ins/4][column][6][4], and for each of the six transformed rows
 *                ──along──▶ [ins/4][tile][6][4] ──six products──▶ [tile][6][8]
 *                ──along──▶ [outs/8][tile][4][6][8] ──down, when all six are there──▶ output rows
 *
 * In these layouts whatever one step reads or writes lies at constant offsets of one pointer. Rows beyond the
 * image are read from a row of zeros and outputs beyond it written to a row that nobody reads, so any height
 * and width will do; inputs come in fours, outputs in eights.
 *
 * A transformed filter is four times the size of the filter (2.4 MB for 128 channels in and out), and where the
 * batch is one block each of its numbers serves but a few times. There, if it is large, eight outputs at a
 * time go all the way to y, their filters being transformed right before, so that no more than those need a
 * place in the cache.
 *
 * **Accuracy.** The largest error is about 1e-5 of the largest output (direct: 1e-6), as the transforms add
 * numbers of different sizes. Summation order depends on the sizes only.
 */
import { lane0, lane1, lane2, lane3, madd } from "../shared/simd.ts";
import { clearFloats, packBlocks } from "./layout.ts";
import { transformFilter } from "./winograd_filter.ts";

/** Tiles of a block at the least: below, the filter's numbers are loaded too often for what they do. */
const BLOCK = 16;

/** Tile rows that a block takes. */
function rowsOfBlock(tileRows: i32, tilesAcross: i32): i32 {
  return min((BLOCK + tilesAcross - 1) / tilesAcross, tileRows);
}

/**
 * Whether outputs are taken eight by eight: where one block is all, and the transformed filter large for a
 * cache.
 */
export function eightByEight(oneBlock: bool, ins: i32, outs: i32): bool {
  return oneBlock && ins * outs >= 4096;
}

/**
 * x `[n, h, w, ins]` to y `[n, outHeight, outWidth, outs]`, the filter read through strides (`packBlocks`).
 */
export function winogradForward(
  x: usize,
  filter: usize,
  y: usize,
  n: i32,
  h: i32,
  w: i32,
  ins: i32,
  outs: i32,
  top: i32,
  left: i32,
  outHeight: i32,
  outWidth: i32,
  tapStride: i32,
  inStride: i32,
  outStride: i32,
  scratch: usize,
): void {
  const across = (outWidth + 3) >> 2;
  const down = (outHeight + 3) >> 2;
  const tileRows = n * down;
  const blockRows = rowsOfBlock(tileRows, across);
  const tiles = (blockRows * across + 3) & ~3;
  const columns = across * 4 + 2;
  const plane = columns * 96; // of one tile row's columns, four channels
  const pointPlane = tiles * 96; // of a block's tiles, four channels
  const outPlane = tiles * 768; // of a block's outputs, eight channels

  const fours = ins >> 2;
  const eights = eightByEight(blockRows == tileRows, ins, outs);
  const pointBytes = fours * pointPlane; // of one transformed row

  const zeros = scratch;
  const nowhere = zeros + ((columns * ins) << 2);
  const products = nowhere + ((outWidth * outs) << 2);
  const vertical = products + tiles * 192;
  const points = vertical + blockRows * fours * plane;
  const horizontal = points + (eights ? 6 : 1) * pointBytes;
  const packed = horizontal + (eights ? 1 : outs >> 3) * outPlane;
  const filters = packed + ins * 288;
  clearFloats(zeros, columns * ins);
  // Columns beyond the image, and tiles that fill up the last four, stay zero.
  clearFloats(vertical, (horizontal - vertical) >> 2);

  if (!eights) {
    for (let k = 0; k < outs; k += 8) {
      const from = filter + ((k * outStride) << 2);
      transformEight(from, tapStride, inStride, outStride, ins, filters + k * ins * 144, packed, products);
    }
  }
  for (let first = 0; first < tileRows; first += blockRows) {
    const rows = min(blockRows, tileRows - first);
    for (let r = 0; r < rows; r++) {
      const image = (first + r) / down;
      const row = (first + r - image * down) * 4 - top;
      const from = x + ((image * h * w * ins) << 2);
      downInputs(from, row, h, w, ins, left, columns, zeros, vertical + r * fours * plane, plane);
    }
    if (eights) {
      for (let i = 0; i < 6; i++) {
        alongRows(vertical + (i << 4), points + i * pointBytes, rows, fours, across, plane, pointPlane);
      }
      for (let k = 0; k < outs; k += 8) {
        const from = filter + ((k * outStride) << 2);
        transformEight(from, tapStride, inStride, outStride, ins, filters, packed, products);
        for (let i = 0; i < 6; i++) {
          multiply(points + i * pointBytes, filters + i * 192, products, fours, tiles, pointPlane);
          alongOutputs(products, horizontal + (i << 5), rows * across, f32x4.splat(4), f32x4.splat(8));
        }
        downRows(
          horizontal,
          y + (k << 2),
          first,
          rows,
          across,
          outHeight,
          outWidth,
          outs,
          1,
          outPlane,
          nowhere,
        );
      }
    } else {
      for (let i = 0; i < 6; i++) {
        alongRows(vertical + (i << 4), points, rows, fours, across, plane, pointPlane);
        for (let k = 0; k < outs; k += 8) {
          const out = horizontal + (k >> 3) * outPlane + (i << 5);
          multiply(points, filters + k * ins * 144 + i * 192, products, fours, tiles, pointPlane);
          alongOutputs(products, out, rows * across, f32x4.splat(4), f32x4.splat(8));
        }
      }
      downRows(horizontal, y, first, rows, across, outHeight, outWidth, outs, outs >> 3, outPlane, nowhere);
    }
  }
}

/** The scratch bytes of `winogradForward`. */
export function winogradForwardScratch(n: i32, ins: i32, outs: i32, outHeight: i32, outWidth: i32): i32 {
  const across = (outWidth + 3) >> 2;
  const tileRows = n * ((outHeight + 3) >> 2);
  const blockRows = rowsOfBlock(tileRows, across);
  const tiles = (blockRows * across + 3) & ~3;
  const columns = across * 4 + 2;
  const eights = eightByEight(blockRows == tileRows, ins, outs);
  const rows = (columns * ins + outWidth * outs) << 2;
  const inputs = blockRows * ins * columns * 24 + (eights ? 6 : 1) * ins * tiles * 24;
  const outputs = tiles * 192 + (eights ? 8 : outs) * tiles * 96;
  return rows + inputs + outputs + ins * 288 + (eights ? 8 : outs) * ins * 144;
}

/** G g Gᵀ of eight outputs; a filter whose outputs are not neighbours is packed first. */
function transformEight(
  filter: usize,
  tapStride: i32,
  inStride: i32,
  outStride: i32,
  ins: i32,
  out: usize,
  packed: usize,
  rows: usize,
): void {
  if (outStride == 1) {
    transformFilter(filter, tapStride << 2, inStride << 2, ins, out, rows);
  } else {
    packBlocks(filter, packed, 9, ins, 8, tapStride, inStride, outStride);
    transformFilter(packed, ins << 5, 32, ins, out, rows);
  }
}

/** `alongInputs` for all channels of a block's tile rows. */
export function alongRows(
  vertical: usize,
  points: usize,
  rows: i32,
  fours: i32,
  across: i32,
  plane: i32,
  pointPlane: i32,
): void {
  for (let r = 0; r < rows; r++, points += across * 96) {
    for (let c = 0, out = points; c < fours; c++, vertical += plane, out += pointPlane) {
      alongInputs(vertical, out, across, f32x4.splat(-4));
    }
  }
}

/** `downOutputs` for a block's tile rows, `first` being the number of its first one in the batch. */
function downRows(
  horizontal: usize,
  y: usize,
  first: i32,
  rows: i32,
  across: i32,
  outHeight: i32,
  outWidth: i32,
  outs: i32,
  blocks: i32,
  outPlane: i32,
  nowhere: usize,
): void {
  const down = (outHeight + 3) >> 2;
  for (let r = first; r < first + rows; r++, horizontal += across * 768) {
    const image = r / down;
    const row = (r - image * down) * 4;
    const out = y + ((image * outHeight * outWidth * outs) << 2);
    downOutputs(horizontal, outPlane, out, row, outHeight, outWidth, outs, blocks, nowhere);
  }
}

/** Bᵀ down the columns: six rows of the image from `row` on, to `[ins/4][columns][6][4]`. */
export function downInputs(
  x: usize,
  row: i32,
  h: i32,
  w: i32,
  ins: i32,
  left: i32,
  columns: i32,
  zeros: usize,
  out: usize,
  plane: i32,
): void {
  const first = max(-left, 0); // the image's columns that are in the padded one
  const count = min(w - first, columns - max(left, 0));
  const rowBytes = (w * ins) << 2;
  const offset = (first * ins) << 2;
  x += row * rowBytes + offset;
  out += max(left, 0) * 96;
  const x0 = row >= 0 && row < h ? x : zeros;
  const x1 = row + 1 >= 0 && row + 1 < h ? x + rowBytes : zeros;
  const x2 = row + 2 >= 0 && row + 2 < h ? x + rowBytes * 2 : zeros;
  const x3 = row + 3 >= 0 && row + 3 < h ? x + rowBytes * 3 : zeros;
  const x4 = row + 4 >= 0 && row + 4 < h ? x + rowBytes * 4 : zeros;
  const x5 = row + 5 >= 0 && row + 5 < h ? x + rowBytes * 5 : zeros;
  const pixelBytes = ins << 2;
  if (ins <= 16) {
    for (let c = 0; c < pixelBytes; c += 16, out += plane) {
      downInputsRun(
        x0 + c,
        x1 + c,
        x2 + c,
        x3 + c,
        x4 + c,
        x5 + c,
        out,
        count,
        pixelBytes,
        96,
        f32x4.splat(-4),
      );
    }
  } else {
    for (let j = 0, p = 0; j < count; j++, p += pixelBytes, out += 96) {
      downInputsRun(
        x0 + p,
        x1 + p,
        x2 + p,
        x3 + p,
        x4 + p,
        x5 + p,
        out,
        ins >> 2,
        16,
        plane,
        f32x4.splat(-4),
      );
    }
  }
}

function downInputsRun(
  x0: usize,
  x1: usize,
  x2: usize,
  x3: usize,
  x4: usize,
  x5: usize,
  out: usize,
  count: i32,
  xStep: i32,
  outStep: i32,
  minus4: v128,
): void {
  for (const end = out + count * outStep; out < end; out += outStep) {
    const a0 = v128.load(x0), a1 = v128.load(x1), a2 = v128.load(x2);
    const a3 = v128.load(x3), a4 = v128.load(x4), a5 = v128.load(x5);
    const even = f32x4.sub(a4, a2), odd = f32x4.sub(a3, a1), twice = f32x4.add(odd, odd);
    const p = madd(minus4, a2, a4), q = madd(minus4, a1, a3);
    v128.store(out, madd(minus4, f32x4.sub(a2, a0), even));
    v128.store(out, f32x4.add(p, q), 16);
    v128.store(out, f32x4.sub(p, q), 32);
    v128.store(out, f32x4.add(even, twice), 48);
    v128.store(out, f32x4.sub(even, twice), 64);
    v128.store(out, madd(minus4, odd, f32x4.sub(a5, a3)), 80);
    x0 += xStep, x1 += xStep, x2 += xStep, x3 += xStep, x4 += xStep, x5 += xStep;
  }
}

/** Bᵀ along a row: six neighbouring columns, 96 bytes apart, to a tile's six points; then four columns on. */
function alongInputs(x: usize, out: usize, tiles: i32, minus4: v128): void {
  for (const end = out + tiles * 96; out < end; out += 96, x += 384) {
    const a0 = v128.load(x), a1 = v128.load(x, 96), a2 = v128.load(x, 192);
    const a3 = v128.load(x, 288), a4 = v128.load(x, 384), a5 = v128.load(x, 480);
    const even = f32x4.sub(a4, a2), odd = f32x4.sub(a3, a1), twice = f32x4.add(odd, odd);
    const p = madd(minus4, a2, a4), q = madd(minus4, a1, a3);
    v128.store(out, madd(minus4, f32x4.sub(a2, a0), even));
    v128.store(out, f32x4.add(p, q), 16);
    v128.store(out, f32x4.sub(p, q), 32);
    v128.store(out, f32x4.add(even, twice), 48);
    v128.store(out, f32x4.sub(even, twice), 64);
    v128.store(out, madd(minus4, odd, f32x4.sub(a5, a3)), 80);
  }
}

/**
 * Six products [tiles, ins]·[ins, 8] with the filter's points of one transformed row, to `[tiles][6][8]`. The
 * tile of registers is that of `convolveBlocks`, with tiles for pixels; the first product needs no sum.
 */
function multiply(points: usize, filter: usize, out: usize, fours: i32, tiles: i32, pointPlane: i32): void {
  const limit = points + fours * pointPlane;
  for (let point = 0; point < 6; point++, points += 16, filter += 32, out += 32) {
    let o = out;
    for (let tile = 0; tile < tiles; tile += 4, o += 768) {
      let x = points + tile * 96;
      let f = filter;
      let v0 = v128.load(x), v1 = v128.load(x, 96), v2 = v128.load(x, 192), v3 = v128.load(x, 288);
      let fa = v128.load(f), fb = v128.load(f, 16), s = lane0(v0);
      let a0 = f32x4.mul(s, fa), b0 = f32x4.mul(s, fb);
      s = lane0(v1);
      let a1 = f32x4.mul(s, fa), b1 = f32x4.mul(s, fb);
      s = lane0(v2);
      let a2 = f32x4.mul(s, fa), b2 = f32x4.mul(s, fb);
      s = lane0(v3);
      let a3 = f32x4.mul(s, fa), b3 = f32x4.mul(s, fb);
      while (true) {
        fa = v128.load(f, 1152), fb = v128.load(f, 1168), s = lane1(v0);
        a0 = madd(s, fa, a0), b0 = madd(s, fb, b0), s = lane1(v1);
        a1 = madd(s, fa, a1), b1 = madd(s, fb, b1), s = lane1(v2);
        a2 = madd(s, fa, a2), b2 = madd(s, fb, b2), s = lane1(v3);
        a3 = madd(s, fa, a3), b3 = madd(s, fb, b3);
        fa = v128.load(f, 2304), fb = v128.load(f, 2320), s = lane2(v0);
        a0 = madd(s, fa, a0), b0 = madd(s, fb, b0), s = lane2(v1);
        a1 = madd(s, fa, a1), b1 = madd(s, fb, b1), s = lane2(v2);
        a2 = madd(s, fa, a2), b2 = madd(s, fb, b2), s = lane2(v3);
        a3 = madd(s, fa, a3), b3 = madd(s, fb, b3);
        fa = v128.load(f, 3456), fb = v128.load(f, 3472), s = lane3(v0);
        a0 = madd(s, fa, a0), b0 = madd(s, fb, b0), s = lane3(v1);
        a1 = madd(s, fa, a1), b1 = madd(s, fb, b1), s = lane3(v2);
        a2 = madd(s, fa, a2), b2 = madd(s, fb, b2), s = lane3(v3);
        a3 = madd(s, fa, a3), b3 = madd(s, fb, b3);
        x += pointPlane, f += 4608;
        if (x >= limit) break;
        v0 = v128.load(x), v1 = v128.load(x, 96), v2 = v128.load(x, 192), v3 = v128.load(x, 288);
        fa = v128.load(f), fb = v128.load(f, 16), s = lane0(v0);
        a0 = madd(s, fa, a0), b0 = madd(s, fb, b0), s = lane0(v1);
        a1 = madd(s, fa, a1), b1 = madd(s, fb, b1), s = lane0(v2);
        a2 = madd(s, fa, a2), b2 = madd(s, fb, b2), s = lane0(v3);
        a3 = madd(s, fa, a3), b3 = madd(s, fb, b3);
      }
      v128.store(o, a0), v128.store(o, b0, 16);
      v128.store(o, a1, 192), v128.store(o, b1, 208);
      v128.store(o, a2, 384), v128.store(o, b2, 400);
      v128.store(o, a3, 576), v128.store(o, b3, 592);
    }
  }
}

/** Aᵀ along a row: each tile's six points to four columns, 192 bytes apart. */
function alongOutputs(x: usize, out: usize, tiles: i32, four: v128, eight: v128): void {
  for (const end = x + tiles * 192; x < end; x += 192, out += 768) {
    let m0 = v128.load(x), m1 = v128.load(x, 32), m2 = v128.load(x, 64);
    let m3 = v128.load(x, 96), m4 = v128.load(x, 128), m5 = v128.load(x, 160);
    let p = f32x4.add(m1, m2), q = f32x4.sub(m1, m2), s = f32x4.add(m3, m4), t = f32x4.sub(m3, m4);
    v128.store(out, f32x4.add(m0, f32x4.add(p, s)));
    v128.store(out, f32x4.add(q, f32x4.add(t, t)), 192);
    v128.store(out, madd(four, s, p), 384);
    v128.store(out, f32x4.add(madd(eight, t, q), m5), 576);
    m0 = v128.load(x, 16), m1 = v128.load(x, 48), m2 = v128.load(x, 80);
    m3 = v128.load(x, 112), m4 = v128.load(x, 144), m5 = v128.load(x, 176);
    p = f32x4.add(m1, m2), q = f32x4.sub(m1, m2), s = f32x4.add(m3, m4), t = f32x4.sub(m3, m4);
    v128.store(out, f32x4.add(m0, f32x4.add(p, s)), 16);
    v128.store(out, f32x4.add(q, f32x4.add(t, t)), 208);
    v128.store(out, madd(four, s, p), 400);
    v128.store(out, f32x4.add(madd(eight, t, q), m5), 592);
  }
}

/** Aᵀ down the columns: `[blocks][column][6][8]` to four rows of the output from `row` on. */
function downOutputs(
  x: usize,
  outPlane: i32,
  y: usize,
  row: i32,
  outHeight: i32,
  outWidth: i32,
  outs: i32,
  blocks: i32,
  nowhere: usize,
): void {
  const pixelBytes = outs << 2;
  const rowBytes = outWidth * pixelBytes;
  const y0 = y + row * rowBytes;
  const y1 = row + 1 < outHeight ? y0 + rowBytes : nowhere;
  const y2 = row + 2 < outHeight ? y0 + rowBytes * 2 : nowhere;
  const y3 = row + 3 < outHeight ? y0 + rowBytes * 3 : nowhere;
  if (blocks <= 2) {
    for (let k = 0; k < blocks << 5; k += 32, x += outPlane) {
      downOutputsRun(
        x,
        y0 + k,
        y1 + k,
        y2 + k,
        y3 + k,
        outWidth,
        192,
        pixelBytes,
        f32x4.splat(4),
        f32x4.splat(8),
      );
    }
  } else {
    for (let j = 0, p = 0; j < outWidth; j++, p += pixelBytes, x += 192) {
      downOutputsRun(
        x,
        y0 + p,
        y1 + p,
        y2 + p,
        y3 + p,
        blocks,
        outPlane,
        32,
        f32x4.splat(4),
        f32x4.splat(8),
      );
    }
  }
}

function downOutputsRun(
  x: usize,
  y0: usize,
  y1: usize,
  y2: usize,
  y3: usize,
  count: i32,
  xStep: i32,
  yStep: i32,
  four: v128,
  eight: v128,
): void {
  for (const end = x + count * xStep; x < end; x += xStep) {
    let m0 = v128.load(x), m1 = v128.load(x, 32), m2 = v128.load(x, 64);
    let m3 = v128.load(x, 96), m4 = v128.load(x, 128), m5 = v128.load(x, 160);
    let p = f32x4.add(m1, m2), q = f32x4.sub(m1, m2), s = f32x4.add(m3, m4), t = f32x4.sub(m3, m4);
    v128.store(y0, f32x4.add(m0, f32x4.add(p, s)));
    v128.store(y1, f32x4.add(q, f32x4.add(t, t)));
    v128.store(y2, madd(four, s, p));
    v128.store(y3, f32x4.add(madd(eight, t, q), m5));
    m0 = v128.load(x, 16), m1 = v128.load(x, 48), m2 = v128.load(x, 80);
    m3 = v128.load(x, 112), m4 = v128.load(x, 144), m5 = v128.load(x, 176);
    p = f32x4.add(m1, m2), q = f32x4.sub(m1, m2), s = f32x4.add(m3, m4), t = f32x4.sub(m3, m4);
    v128.store(y0, f32x4.add(m0, f32x4.add(p, s)), 16);
    v128.store(y1, f32x4.add(q, f32x4.add(t, t)), 16);
    v128.store(y2, madd(four, s, p), 16);
    v128.store(y3, f32x4.add(madd(eight, t, q), m5), 16);
    y0 += yStep, y1 += yStep, y2 += yStep, y3 += yStep;
  }
}
