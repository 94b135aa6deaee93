// @ts-nocheck AssemblyScript: compiled by build.ts, not checked by Deno
/**
 * The stride-1 convolution of a padded image x `[n, h, w, c]` with a packed filter (`layout.ts`) to y `[n,
 * outHeight, outWidth, k]`: y[i, j, k] = Σ over ky, kx, c of x[i + ky, j + kx, c] · filter[ky, kx, c, k],
 * summed in just this order, whatever the sizes, so that the same input gives the same bits.
 *
 * **Mental model.** In `[h, w, c]` the `filterWidth · c` floats that one filter row meets at one pixel are
 * neighbours, a *run*. So a pixel's output is a few long dot products, and a tile of pixels times outputs is
 * a matrix product whose accumulators stay in registers. What limits it is not arithmetic but loads, each of
 * which V8 checks against the memory's end (denoland/deno#35658), and 15 vector registers. Pixels are
 * numbered through the whole batch, four a tile, each with a pointer of its own, so widths need not divide by
 * four; the last tile repeats its last pixel and does not store it.
 */
import { lane0, lane1, lane2, lane3, madd, sumLanes } from "../shared/simd.ts";

/**
 * The outputs in blocks of eight. Tile: 4 pixels x 8 outputs = 8 accumulators; per 4 inputs, 4 vectors of x
 * (their lanes are shuffled out, not loaded again) and 8 of the filter for 32 multiply-adds. 8 accumulators +
 * 4 x + 2 filter + 1 lane are the 15 registers; the multiply-adds of a 6 x 8 tile would spill.
 */
export function convolveBlocks(
  x: usize,
  filter: usize,
  y: usize,
  n: i32,
  outHeight: i32,
  outWidth: i32,
  c: i32,
  k: i32,
  filterHeight: i32,
  filterWidth: i32,
): void {
  const zero = f32x4.splat(0);
  const run = filterWidth * c;
  const vectorBytes = (run >> 2) << 4;
  const tailBytes = (run & 3) << 2;
  const pixelBytes = c << 2;
  const rowBytes = (outWidth + filterWidth - 1) * pixelBytes;
  const skip = rowBytes - (run << 2); // from the end of a run to its start in the next row
  const betweenRows = (filterWidth - 1) * pixelBytes;
  const betweenImages = (filterHeight - 1) * rowBytes;
  const outBytes = k << 2;
  const pixels = n * outHeight * outWidth;
  for (let block = 0; block + 8 <= k; block += 8) {
    let out = y + (block << 2);
    let start = x; // the tile's first pixel, and how many are left of its row, of its image's rows
    let left = outWidth;
    let rowsLeft = outHeight;
    for (let done = 0; done < pixels; done += 4, out += outBytes << 2) {
      let x0 = start, x1 = x0 + pixelBytes, x2 = x1 + pixelBytes, x3 = x2 + pixelBytes;
      if (left >= 4) {
        left -= 4;
        start = x3 + pixelBytes;
        if (left == 0) {
          left = outWidth;
          start += betweenRows;
          if (--rowsLeft == 0) rowsLeft = outHeight, start += betweenImages;
        }
      } else if (outWidth >= 4 && done + 4 <= pixels) {
        // The tile goes on in the next row.
        const jump = --rowsLeft == 0 ? betweenRows + betweenImages : betweenRows;
        if (rowsLeft == 0) rowsLeft = outHeight;
        if (left < 2) x1 += jump;
        if (left < 3) x2 += jump;
        x3 += jump;
        left += outWidth - 4;
        start = x3 + pixelBytes;
      } else {
        const last = pixels - 1;
        x1 = pixelPointer(x, min(done + 1, last), outHeight, outWidth, pixelBytes, rowBytes, filterHeight);
        x2 = pixelPointer(x, min(done + 2, last), outHeight, outWidth, pixelBytes, rowBytes, filterHeight);
        x3 = pixelPointer(x, min(done + 3, last), outHeight, outWidth, pixelBytes, rowBytes, filterHeight);
        start = pixelPointer(x, done + 4, outHeight, outWidth, pixelBytes, rowBytes, filterHeight);
        left = outWidth - (done + 4) % outWidth;
        rowsLeft = outHeight - (done + 4) / outWidth % outHeight;
      }

      let a0 = zero, a1 = zero, a2 = zero, a3 = zero; // outputs 0..3 of the four pixels
      let b0 = zero, b1 = zero, b2 = zero, b3 = zero; // outputs 4..7
      let f = filter;
      for (let ky = filterHeight; ky > 0; ky--) {
        let end = x0 + vectorBytes;
        for (; x0 < end; x0 += 16, x1 += 16, x2 += 16, x3 += 16, f += 128) {
          const v0 = v128.load(x0), v1 = v128.load(x1), v2 = v128.load(x2), v3 = v128.load(x3);
          let fa = v128.load(f), fb = v128.load(f, 16), s = lane0(v0);
          a0 = madd(s, fa, a0), b0 = madd(s, fb, b0), s = lane0(v1);
          a1 = madd(s, fa, a1), b1 = madd(s, fb, b1), s = lane0(v2);
          a2 = madd(s, fa, a2), b2 = madd(s, fb, b2), s = lane0(v3);
          a3 = madd(s, fa, a3), b3 = madd(s, fb, b3);
          fa = v128.load(f, 32), fb = v128.load(f, 48), s = lane1(v0);
          a0 = madd(s, fa, a0), b0 = madd(s, fb, b0), s = lane1(v1);
          a1 = madd(s, fa, a1), b1 = madd(s, fb, b1), s = lane1(v2);
          a2 = madd(s, fa, a2), b2 = madd(s, fb, b2), s = lane1(v3);
          a3 = madd(s, fa, a3), b3 = madd(s, fb, b3);
          fa = v128.load(f, 64), fb = v128.load(f, 80), s = lane2(v0);
          a0 = madd(s, fa, a0), b0 = madd(s, fb, b0), s = lane2(v1);
          a1 = madd(s, fa, a1), b1 = madd(s, fb, b1), s = lane2(v2);
          a2 = madd(s, fa, a2), b2 = madd(s, fb, b2), s = lane2(v3);
          a3 = madd(s, fa, a3), b3 = madd(s, fb, b3);
          fa = v128.load(f, 96), fb = v128.load(f, 112), s = lane3(v0);
          a0 = madd(s, fa, a0), b0 = madd(s, fb, b0), s = lane3(v1);
          a1 = madd(s, fa, a1), b1 = madd(s, fb, b1), s = lane3(v2);
          a2 = madd(s, fa, a2), b2 = madd(s, fb, b2), s = lane3(v3);
          a3 = madd(s, fa, a3), b3 = madd(s, fb, b3);
        }
        end = x0 + tailBytes;
        for (; x0 < end; x0 += 4, x1 += 4, x2 += 4, x3 += 4, f += 32) {
          const fa = v128.load(f), fb = v128.load(f, 16);
          let s = v128.load32_splat(x0);
          a0 = madd(s, fa, a0), b0 = madd(s, fb, b0), s = v128.load32_splat(x1);
          a1 = madd(s, fa, a1), b1 = madd(s, fb, b1), s = v128.load32_splat(x2);
          a2 = madd(s, fa, a2), b2 = madd(s, fb, b2), s = v128.load32_splat(x3);
          a3 = madd(s, fa, a3), b3 = madd(s, fb, b3);
        }
        x0 += skip, x1 += skip, x2 += skip, x3 += skip;
      }
      v128.store(out, a0), v128.store(out, b0, 16);
      if (done + 3 < pixels) {
        const out1 = out + outBytes, out2 = out1 + outBytes, out3 = out2 + outBytes;
        v128.store(out1, a1), v128.store(out1, b1, 16);
        v128.store(out2, a2), v128.store(out2, b2, 16);
        v128.store(out3, a3), v128.store(out3, b3, 16);
      } else {
        if (done + 1 < pixels) v128.store(out + outBytes, a1), v128.store(out + outBytes, b1, 16);
        if (done + 2 < pixels) v128.store(out + 2 * outBytes, a2), v128.store(out + 2 * outBytes, b2, 16);
      }
    }
    filter += (filterHeight * run) << 5;
  }
}

/**
 * The outputs beyond the last block of eight, two by two. Here the lanes are four neighbouring inputs instead
 * of four outputs (else 2 of 8 would be wasted work in every U-Net's last layer), and the lanes are summed at
 * the end. Tile: 4 pixels x 2 outputs; per 4 inputs, 4 + 2 loads for 8 multiply-adds and no shuffle.
 */
export function convolvePairs(
  x: usize,
  filter: usize,
  y: usize,
  n: i32,
  outHeight: i32,
  outWidth: i32,
  c: i32,
  k: i32,
  filterHeight: i32,
  filterWidth: i32,
): void {
  const zero = f32x4.splat(0);
  const run = filterWidth * c;
  const vectorBytes = (run >> 2) << 4;
  const tail = run & 3;
  const back = (4 - tail) << 2; // the last vector of a ragged run ends with it and so starts earlier
  // Its lanes from before have a zero filter; they are cleared too, as 0 · NaN would not be 0.
  const keep = i32x4.gt_s(i32x4(0, 1, 2, 3), i32x4.splat(3 - tail));
  const pixelBytes = c << 2;
  const rowBytes = (outWidth + filterWidth - 1) * pixelBytes;
  const skip = rowBytes - vectorBytes;
  const betweenRows = (filterWidth - 1) * pixelBytes;
  const betweenImages = (filterHeight - 1) * rowBytes;
  const pixels = n * outHeight * outWidth;
  const pairBytes = filterHeight * ((run + 3) >> 2) << 5;
  for (let pair = k & ~7; pair < k; pair += 2, filter += pairBytes) {
    const two = pair + 1 < k;
    let out = y + (pair << 2);
    let start = x;
    let left = outWidth;
    let rowsLeft = outHeight;
    for (let done = 0; done < pixels; done += 4) {
      let x0 = start, x1 = x0 + pixelBytes, x2 = x1 + pixelBytes, x3 = x2 + pixelBytes;
      if (left >= 4) {
        left -= 4;
        start = x3 + pixelBytes;
        if (left == 0) {
          left = outWidth;
          start += betweenRows;
          if (--rowsLeft == 0) rowsLeft = outHeight, start += betweenImages;
        }
      } else if (outWidth >= 4 && done + 4 <= pixels) {
        // The tile goes on in the next row.
        const jump = --rowsLeft == 0 ? betweenRows + betweenImages : betweenRows;
        if (rowsLeft == 0) rowsLeft = outHeight;
        if (left < 2) x1 += jump;
        if (left < 3) x2 += jump;
        x3 += jump;
        left += outWidth - 4;
        start = x3 + pixelBytes;
      } else {
        const last = pixels - 1;
        x1 = pixelPointer(x, min(done + 1, last), outHeight, outWidth, pixelBytes, rowBytes, filterHeight);
        x2 = pixelPointer(x, min(done + 2, last), outHeight, outWidth, pixelBytes, rowBytes, filterHeight);
        x3 = pixelPointer(x, min(done + 3, last), outHeight, outWidth, pixelBytes, rowBytes, filterHeight);
        start = pixelPointer(x, done + 4, outHeight, outWidth, pixelBytes, rowBytes, filterHeight);
        left = outWidth - (done + 4) % outWidth;
        rowsLeft = outHeight - (done + 4) / outWidth % outHeight;
      }

      let a0 = zero, a1 = zero, a2 = zero, a3 = zero; // first output of the four pixels
      let b0 = zero, b1 = zero, b2 = zero, b3 = zero; // second output
      let f = filter;
      for (let ky = filterHeight; ky > 0; ky--) {
        const end = x0 + vectorBytes;
        for (; x0 < end; x0 += 16, x1 += 16, x2 += 16, x3 += 16, f += 32) {
          const fa = v128.load(f), fb = v128.load(f, 16);
          let v = v128.load(x0);
          a0 = madd(v, fa, a0), b0 = madd(v, fb, b0), v = v128.load(x1);
          a1 = madd(v, fa, a1), b1 = madd(v, fb, b1), v = v128.load(x2);
          a2 = madd(v, fa, a2), b2 = madd(v, fb, b2), v = v128.load(x3);
          a3 = madd(v, fa, a3), b3 = madd(v, fb, b3);
        }
        if (tail) {
          const fa = v128.load(f), fb = v128.load(f, 16);
          let v = v128.and(v128.load(x0 - back), keep);
          a0 = madd(v, fa, a0), b0 = madd(v, fb, b0), v = v128.and(v128.load(x1 - back), keep);
          a1 = madd(v, fa, a1), b1 = madd(v, fb, b1), v = v128.and(v128.load(x2 - back), keep);
          a2 = madd(v, fa, a2), b2 = madd(v, fb, b2), v = v128.and(v128.load(x3 - back), keep);
          a3 = madd(v, fa, a3), b3 = madd(v, fb, b3);
          f += 32;
        }
        x0 += skip, x1 += skip, x2 += skip, x3 += skip;
      }
      a0 = sumLanes(a0, a1, a2, a3), b0 = sumLanes(b0, b1, b2, b3);
      const remaining = pixels - done;
      v128.store32_lane(out, a0, 0);
      if (two) v128.store32_lane(out, b0, 0, 4);
      out += k << 2;
      if (remaining > 1) {
        v128.store32_lane(out, a0, 1);
        if (two) v128.store32_lane(out, b0, 1, 4);
        out += k << 2;
      }
      if (remaining > 2) {
        v128.store32_lane(out, a0, 2);
        if (two) v128.store32_lane(out, b0, 2, 4);
        out += k << 2;
      }
      if (remaining > 3) {
        v128.store32_lane(out, a0, 3);
        if (two) v128.store32_lane(out, b0, 3, 4);
        out += k << 2;
      }
    }
  }
}

/** Where the neighbourhood of output pixel `index` starts in the padded batch. */
function pixelPointer(
  x: usize,
  index: i32,
  outHeight: i32,
  outWidth: i32,
  pixelBytes: i32,
  rowBytes: i32,
  filterHeight: i32,
): usize {
  const row = index / outWidth;
  const image = row / outHeight;
  return x + (row + image * (filterHeight - 1)) * rowBytes + (index - row * outWidth) * pixelBytes;
}
