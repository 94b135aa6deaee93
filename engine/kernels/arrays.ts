// @ts-nocheck AssemblyScript: compiled by build.ts, not checked by Deno
/**
 * Kernels for arrays of any shape: values moved about, constants, and sums over the last axis.
 *
 * Pointers are in bytes, sizes and strides in values.
 */

/** out = `value`, `size` times. */
export function fillValues(out: usize, size: i32, value: f32): void {
  const values = f32x4.splat(value);
  const end = out + (<usize> size << 2);
  const end1 = out + (<usize> (size & ~3) << 2);
  for (; out < end1; out += 16) v128.store(out, values);
  for (; out < end; out += 4) store<f32>(out, value);
}

/** out = x. */
export function copyValues(x: usize, out: usize, size: i32): void {
  memory.copy(out, x, <usize> size << 2);
}

/**
 * out at a·A + … + f·F = x at a·α + … + f·φ for all a < `sizeA`, …, f < `sizeF`, where A, … are `outA`, … and
 * α, … are `xA`, …: slices and padding, transposition, reversal (negative strides) and repetition (strides of
 * 0).
 */
export function moveValues(
  x: usize,
  out: usize,
  sizeA: i32,
  sizeB: i32,
  sizeC: i32,
  sizeD: i32,
  sizeE: i32,
  sizeF: i32,
  xA: i32,
  xB: i32,
  xC: i32,
  xD: i32,
  xE: i32,
  xF: i32,
  outA: i32,
  outB: i32,
  outC: i32,
  outD: i32,
  outE: i32,
  outF: i32,
): void {
  for (let a = 0; a < sizeA; a++) {
    for (let b = 0; b < sizeB; b++) {
      for (let c = 0; c < sizeC; c++) {
        for (let d = 0; d < sizeD; d++) {
          for (let e = 0; e < sizeE; e++) {
            const from = x + <usize> ((a * xA + b * xB + c * xC + d * xD + e * xE) << 2);
            const to = out + <usize> ((a * outA + b * outB + c * outC + d * outD + e * outE) << 2);
            moveRun(from, to, sizeF, xF, outF);
          }
        }
      }
    }
  }
}

function moveRun(x: usize, out: usize, size: i32, xStep: i32, outStep: i32): void {
  if (xStep == 1 && outStep == 1) {
    let i = 0;
    for (; i + 4 <= size; i += 4, x += 16, out += 16) v128.store(out, v128.load(x));
    for (; i < size; i++, x += 4, out += 4) store<f32>(out, load<f32>(x));
  } else {
    const xBytes = xStep << 2, outBytes = outStep << 2;
    for (let i = 0; i < size; i++, x += xBytes, out += outBytes) store<f32>(out, load<f32>(x));
  }
}

/** Values that are summed in single precision before they are added to the total in double. */
const BLOCK = 4096;

/** out `[rows]` = the sums over the rows of x `[rows, length]`, divided by `divisor`. */
export function sumRows(x: usize, out: usize, rows: i32, length: i32, divisor: i32): void {
  for (let row = 0; row < rows; row++, out += 4) {
    let total: f64 = 0;
    for (let done = 0; done < length; done += BLOCK) {
      const count = min(BLOCK, length - done);
      let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0), s3 = f32x4.splat(0);
      let i = 0;
      for (; i + 16 <= count; i += 16, x += 64) {
        s0 = f32x4.add(s0, v128.load(x));
        s1 = f32x4.add(s1, v128.load(x, 16));
        s2 = f32x4.add(s2, v128.load(x, 32));
        s3 = f32x4.add(s3, v128.load(x, 48));
      }
      const sum = f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3));
      total += (<f64> f32x4.extract_lane(sum, 0) + <f64> f32x4.extract_lane(sum, 1)) +
        (<f64> f32x4.extract_lane(sum, 2) + <f64> f32x4.extract_lane(sum, 3));
      for (; i < count; i++, x += 4) total += <f64> load<f32>(x);
    }
    store<f32>(out, <f32> (total / <f64> divisor));
  }
}
