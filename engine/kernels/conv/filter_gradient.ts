// @ts-nocheck AssemblyScript: compiled by build.ts, not checked by Deno
/**
 * The gradient of a stride-1 convolution in its filter: d[ky, kx, c, k] = Σ over images and pixels of
 * x[i + ky, j + kx, c] · g[i, j, k], x padded `[n, h, w, c]`, g `[n, outHeight, outWidth, k]`.
 *
 * **Mental model.** For each filter row ky it is one matrix product over the pixels: (run of x) x (outputs of
 * g), a run being the `filterWidth · c` neighbouring floats that the row meets at a pixel (`forward.ts`). A
 * tile of four places of the run times eight outputs stays in registers while the pixels go by; per pixel 1 +
 * 2 loads for 8 multiply-adds, the same ratio as forward. Pixels go by in blocks of rows that the caches
 * hold, each block is summed on its own from zero and then added: the order is fixed by the sizes, and
 * shorter sums round less.
 */
import { lane0, lane1, lane2, lane3, madd } from "../shared/simd.ts";

/** Pixels a block, about: so many that adding it costs little, so few that rounding does not grow. */
const BLOCK = 2048;

export function filterGradient(
  x: usize,
  g: usize,
  out: usize,
  n: i32,
  outHeight: i32,
  outWidth: i32,
  c: i32,
  k: i32,
  filterHeight: i32,
  filterWidth: i32,
): void {
  const run = filterWidth * c;
  const rowBytes = ((outWidth + filterWidth - 1) * c) << 2;
  const rows = n * outHeight;
  const step = max(BLOCK / outWidth, 1);
  for (let row = 0; row < rows; row += step) {
    const count = min(step, rows - row);
    const image = row / outHeight;
    const rowsLeft = outHeight - (row - image * outHeight);
    const gBlock = g + ((row * outWidth * k) << 2);
    for (let ky = 0; ky < filterHeight; ky++) {
      const xBlock = x + (row + image * (filterHeight - 1) + ky) * rowBytes;
      const o = out + ((ky * run * k) << 2);
      let j = 0;
      for (; j + 8 <= k; j += 8) {
        for (let r = 0; r < run; r += 4) {
          const start = min(r, run - 4);
          tileOfEight(
            xBlock + (start << 2),
            gBlock + (j << 2),
            o + ((start * k + j) << 2),
            r - start,
            c << 2,
            k << 2,
            rowBytes,
            outWidth,
            outHeight,
            filterHeight,
            count,
            rowsLeft,
            row > 0,
          );
        }
      }
      for (; j < k; j += 2) {
        for (let r = 0; r < run; r += 16) {
          tileOfTwo(
            xBlock,
            gBlock + (j << 2),
            o + (j << 2),
            r,
            run,
            j + 1 < k,
            c << 2,
            k << 2,
            rowBytes,
            outWidth,
            outHeight,
            filterHeight,
            count,
            rowsLeft,
            row > 0,
          );
        }
      }
    }
  }
}

/**
 * Four places of the run times eight outputs, over `rows` rows of pixels. `x` and `g` point to the first
 * pixel's four and eight floats; the first `skip` of the four places belong to the tile before and are not
 * stored.
 */
function tileOfEight(
  x: usize,
  g: usize,
  out: usize,
  skip: i32,
  xPixelBytes: i32,
  gPixelBytes: i32,
  xRowBytes: i32,
  outWidth: i32,
  outHeight: i32,
  filterHeight: i32,
  rows: i32,
  rowsLeft: i32,
  add: bool,
): void {
  const zero = f32x4.splat(0);
  const betweenRows = xRowBytes - outWidth * xPixelBytes;
  const betweenImages = (filterHeight - 1) * xRowBytes;
  let a0 = zero, a1 = zero, a2 = zero, a3 = zero; // outputs 0..3 of the four places
  let b0 = zero, b1 = zero, b2 = zero, b3 = zero; // outputs 4..7
  for (; rows > 0; rows--) {
    const end = g + outWidth * gPixelBytes;
    for (; g < end; g += gPixelBytes, x += xPixelBytes) {
      const v = v128.load(x), ga = v128.load(g), gb = v128.load(g, 16);
      let s = lane0(v);
      a0 = madd(s, ga, a0), b0 = madd(s, gb, b0), s = lane1(v);
      a1 = madd(s, ga, a1), b1 = madd(s, gb, b1), s = lane2(v);
      a2 = madd(s, ga, a2), b2 = madd(s, gb, b2), s = lane3(v);
      a3 = madd(s, ga, a3), b3 = madd(s, gb, b3);
    }
    x += betweenRows;
    if (--rowsLeft == 0) rowsLeft = outHeight, x += betweenImages;
  }
  const out1 = out + gPixelBytes, out2 = out1 + gPixelBytes, out3 = out2 + gPixelBytes;
  if (add) {
    a0 = f32x4.add(v128.load(out), a0), b0 = f32x4.add(v128.load(out, 16), b0);
    a1 = f32x4.add(v128.load(out1), a1), b1 = f32x4.add(v128.load(out1, 16), b1);
    a2 = f32x4.add(v128.load(out2), a2), b2 = f32x4.add(v128.load(out2, 16), b2);
    a3 = f32x4.add(v128.load(out3), a3), b3 = f32x4.add(v128.load(out3, 16), b3);
  }
  if (skip < 1) v128.store(out, a0), v128.store(out, b0, 16);
  if (skip < 2) v128.store(out1, a1), v128.store(out1, b1, 16);
  if (skip < 3) v128.store(out2, a2), v128.store(out2, b2, 16);
  v128.store(out3, a3), v128.store(out3, b3, 16);
}

/**
 * Sixteen places of the run, from `place`, times two outputs: the lanes are places of the run, so that
 * outputs that fill no block of eight cost no wasted work. Vectors beyond the run's end repeat its last one
 * and are not stored.
 */
function tileOfTwo(
  x: usize,
  g: usize,
  out: usize,
  place: i32,
  run: i32,
  two: bool,
  xPixelBytes: i32,
  gPixelBytes: i32,
  xRowBytes: i32,
  outWidth: i32,
  outHeight: i32,
  filterHeight: i32,
  rows: i32,
  rowsLeft: i32,
  add: bool,
): void {
  const zero = f32x4.splat(0);
  const betweenRows = xRowBytes - outWidth * xPixelBytes;
  const betweenImages = (filterHeight - 1) * xRowBytes;
  const second = two ? 4 : 0;
  const p0 = min(place, run - 4), p1 = min(place + 4, run - 4);
  const p2 = min(place + 8, run - 4), p3 = min(place + 12, run - 4);
  const to1 = (p1 - p0) << 2, to2 = (p2 - p0) << 2, to3 = (p3 - p0) << 2;
  x += p0 << 2;
  let a0 = zero, a1 = zero, a2 = zero, a3 = zero; // first output, four vectors of places
  let b0 = zero, b1 = zero, b2 = zero, b3 = zero; // second output
  for (; rows > 0; rows--) {
    const end = g + outWidth * gPixelBytes;
    for (; g < end; g += gPixelBytes, x += xPixelBytes) {
      const ga = v128.load32_splat(g), gb = v128.load32_splat(g + second);
      let v = v128.load(x);
      a0 = madd(v, ga, a0), b0 = madd(v, gb, b0), v = v128.load(x + to1);
      a1 = madd(v, ga, a1), b1 = madd(v, gb, b1), v = v128.load(x + to2);
      a2 = madd(v, ga, a2), b2 = madd(v, gb, b2), v = v128.load(x + to3);
      a3 = madd(v, ga, a3), b3 = madd(v, gb, b3);
    }
    x += betweenRows;
    if (--rowsLeft == 0) rowsLeft = outHeight, x += betweenImages;
  }
  putPlaces(out, a0, p0, place, gPixelBytes, add);
  putPlaces(out, a1, p1, place + 4, gPixelBytes, add);
  putPlaces(out, a2, p2, place + 8, gPixelBytes, add);
  putPlaces(out, a3, p3, place + 12, gPixelBytes, add);
  if (!two) return;
  out += 4;
  putPlaces(out, b0, p0, place, gPixelBytes, add);
  putPlaces(out, b1, p1, place + 4, gPixelBytes, add);
  putPlaces(out, b2, p2, place + 8, gPixelBytes, add);
  putPlaces(out, b3, p3, place + 12, gPixelBytes, add);
}

/** The lanes of v are the places `start`…`start + 3` of the run; those before `from` are somebody else's. */
function putPlaces(out: usize, v: v128, start: i32, from: i32, placeBytes: i32, add: bool): void {
  const o = out + start * placeBytes;
  if (from <= start) putPlace(o, f32x4.extract_lane(v, 0), add);
  if (from <= start + 1) putPlace(o + placeBytes, f32x4.extract_lane(v, 1), add);
  if (from <= start + 2) putPlace(o + 2 * placeBytes, f32x4.extract_lane(v, 2), add);
  if (from <= start + 3) putPlace(o + 3 * placeBytes, f32x4.extract_lane(v, 3), add);
}

function putPlace(out: usize, value: f32, add: bool): void {
  store<f32>(out, add ? load<f32>(out) + value : value);
}
