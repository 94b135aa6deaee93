// @ts-nocheck AssemblyScript: compiled by build.ts, not checked by Deno
/**
 * The two layouts that the convolution's inner loops read: an image with its zeros around it, and a filter
 * whose numbers lie in the order in which they are used. Both are made anew in each call: they cost a few
 * percent of the convolution itself, and nothing has to be kept up to date.
 */

/** Copies `count` floats; for a few hundred bytes quicker than `memory.copy`, which V8 makes a call of. */
export function copyFloats(from: usize, to: usize, count: i32): void {
  let end = from + ((count >> 3) << 5);
  for (; from < end; from += 32, to += 32) {
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
  }
  end = from + ((count & 7) << 2);
  for (; from < end; from += 4, to += 4) store<f32>(to, load<f32>(from));
}

/** Writes `count` zeros. */
export function clearFloats(to: usize, count: i32): void {
  let end = to + ((count >> 2) << 4);
  for (; to < end; to += 16) v128.store(to, i32x4.splat(0));
  end = to + ((count & 3) << 2);
  for (; to < end; to += 4) store<f32>(to, 0);
}

/**
 * x `[n, h, w, c]` to `out` `[n, rows, columns, c]`, out[i, j] being x[i − top, j − left] and zero outside of
 * x. Negative `top` and `left` crop.
 */
export function padImage(
  x: usize,
  out: usize,
  n: i32,
  h: i32,
  w: i32,
  c: i32,
  top: i32,
  left: i32,
  rows: i32,
  columns: i32,
): void {
  const before = max(left, 0) * c; // floats of a row that come before x, of x, and after it
  const first = max(-left, 0);
  const inside = max(min(w, columns - left) - first, 0) * c;
  const after = columns * c - before - inside;
  for (let image = 0; image < n; image++, x += (h * w * c) << 2) {
    for (let row = 0; row < rows; row++, out += (columns * c) << 2) {
      const source = row - top;
      if (source < 0 || source >= h) {
        clearFloats(out, columns * c);
        continue;
      }
      clearFloats(out, before);
      copyFloats(x + (((source * w + first) * c) << 2), out + (before << 2), inside);
      clearFloats(out + ((before + inside) << 2), after);
    }
  }
}

/**
 * A filter's numbers by block of eight outputs, `[outs / 8][taps][ins][8]`: what `convolveBlocks` multiplies
 * one pixel's neighbourhood with, front to back. Outputs beyond the last whole block are left to `packPairs`.
 *
 * The filter is read through strides in floats, so that the same code packs a filter as it is (`outStride` 1)
 * and, for the gradient in the image, turned by 180° (`tapStride` negative) with inputs and outputs swapped
 * (`inStride` 1).
 */
export function packBlocks(
  filter: usize,
  out: usize,
  taps: i32,
  ins: i32,
  outs: i32,
  tapStride: i32,
  inStride: i32,
  outStride: i32,
): void {
  for (let k = 0; k + 8 <= outs; k += 8) {
    for (let tap = 0; tap < taps; tap++) {
      let from = filter + ((tap * tapStride + k * outStride) << 2);
      let c = 0;
      if (outStride == 1) {
        for (; c < ins; c++, from += inStride << 2, out += 32) {
          v128.store(out, v128.load(from));
          v128.store(out, v128.load(from, 16), 16);
        }
      }
      if (inStride == 1) {
        const pitch = outStride << 2;
        for (; c + 4 <= ins; c += 4, from += 16, out += 128) {
          for (let o = out, row = from; o < out + 32; o += 16, row += pitch << 2) {
            const p = v128.load(row), q = v128.load(row + pitch); // four inputs of four outputs
            const r = v128.load(row + 2 * pitch), s = v128.load(row + 3 * pitch);
            const pr = v128.shuffle<f32>(p, r, 0, 4, 1, 5), qs = v128.shuffle<f32>(q, s, 0, 4, 1, 5);
            const rp = v128.shuffle<f32>(p, r, 2, 6, 3, 7), sq = v128.shuffle<f32>(q, s, 2, 6, 3, 7);
            v128.store(o, v128.shuffle<f32>(pr, qs, 0, 4, 1, 5));
            v128.store(o, v128.shuffle<f32>(pr, qs, 2, 6, 3, 7), 32);
            v128.store(o, v128.shuffle<f32>(rp, sq, 0, 4, 1, 5), 64);
            v128.store(o, v128.shuffle<f32>(rp, sq, 2, 6, 3, 7), 96);
          }
        }
      }
      for (; c < ins; c++, from += inStride << 2, out += 32) {
        for (let j = 0; j < 8; j++) store<f32>(out + (j << 2), load<f32>(from + ((j * outStride) << 2)));
      }
    }
  }
}

/**
 * The outputs that fill no block of eight, two by two, `[pairs][filterHeight][⌈run / 4⌉][2][4]`, a run being
 * the `filterWidth · ins` neighbouring floats that one filter row meets. A run's last vector ends where the
 * run ends; its lanes that the vector before it already has are zero, and so is the partner of an odd last
 * output.
 */
export function packPairs(
  filter: usize,
  out: usize,
  filterHeight: i32,
  filterWidth: i32,
  ins: i32,
  outs: i32,
  tapStride: i32,
  inStride: i32,
  outStride: i32,
): void {
  const run = filterWidth * ins;
  const whole = run & ~3;
  const rowFloats = ((run + 3) >> 2) << 3;
  const pairs = ((outs & 7) + 1) >> 1;
  clearFloats(out, pairs * filterHeight * rowFloats);
  for (let k = outs & ~7; k < outs; k += 2) {
    for (let ky = 0; ky < filterHeight; ky++, out += rowFloats << 2) {
      for (let r = 0; r < run; r++) {
        const kx = r / ins;
        const from = filter +
          (((ky * filterWidth + kx) * tapStride + (r - kx * ins) * inStride + k * outStride) << 2);
        const lane = r < whole ? ((r & ~3) << 1) + (r & 3) : (whole << 1) + 4 - (run - r);
        store<f32>(out + (lane << 2), load<f32>(from));
        if (k + 1 < outs) store<f32>(out + ((lane + 4) << 2), load<f32>(from + (outStride << 2)));
      }
    }
  }
}
