// @ts-nocheck AssemblyScript: compiled by build.ts, not checked by Deno
/**
 * Images and sums of views into the layouts of four lanes, and back. The image is in the middle of its
 * square.
 */

/** Rows of the quad, in fours. */
export function rowsOf(side: i32): i32 {
  return (side + 3) & ~3;
}

/** The plane of x at every `channels`-th value, in four positions, among zeros: `pad` beside each row. */
export function fillQuad(
  x: usize,
  quad: usize,
  height: i32,
  width: i32,
  channels: i32,
  side: i32,
  pad: i32,
): void {
  const stride: usize = (side + 2 * pad) * 16;
  clear(quad, rowsOf(side) * stride);
  const top = (side - height) >> 1, left = (side - width) >> 1;
  const origin = quad + pad * 16;
  for (let row = 0; row < height; row++) {
    const upright = origin + (top + row) * stride;
    const across = origin + (top + height - 1 - row) * 16;
    for (let column = 0; column < width; column++, x += channels * 4) {
      const value = load<f32>(x);
      store<f32>(upright + (left + column) * 16, value);
      store<f32>(across + (left + width - 1 - column) * stride, value, 4);
      store<f32>(across + (left + column) * stride, value, 8);
      store<f32>(upright + (left + width - 1 - column) * 16, value, 12);
    }
  }
}

/**
 * The sum of the four positions of the quad (without padding), each turned back: the adjoint of `fillQuad`.
 */
export function readQuad(quad: usize, out: usize, height: i32, width: i32, channels: i32, side: i32): void {
  const stride: usize = side * 16;
  const top = (side - height) >> 1, left = (side - width) >> 1;
  for (let row = 0; row < height; row++) {
    const upright = quad + (top + row) * stride;
    const across = quad + (top + height - 1 - row) * 16;
    for (let column = 0; column < width; column++, out += channels * 4) {
      const both = load<f32>(upright + (left + column) * 16) +
        load<f32>(upright + (left + width - 1 - column) * 16, 12);
      const turned = load<f32>(across + (left + width - 1 - column) * stride, 4) +
        load<f32>(across + (left + column) * stride, 8);
      store<f32>(out, both + turned);
    }
  }
}

/** One lane of a group's sums, times `weight`, as a view; `backwards`: the last bin first. */
export function readSums(
  sums: usize,
  out: usize,
  backwards: bool,
  bins: i32,
  channels: i32,
  weight: f32,
): void {
  const step: isize = backwards ? -16 : 16;
  if (backwards) sums += (bins - 1) * 16;
  for (let bin = 0; bin < bins; bin++, sums += step, out += channels * 4) {
    store<f32>(out, weight * load<f32>(sums));
  }
}

/** The adjoint of `readSums`. */
export function writeSums(
  y: usize,
  sums: usize,
  backwards: bool,
  bins: i32,
  channels: i32,
  weight: f32,
): void {
  const step: isize = backwards ? -16 : 16;
  if (backwards) sums += (bins - 1) * 16;
  for (let bin = 0; bin < bins; bin++, sums += step, y += channels * 4) {
    store<f32>(sums, weight * load<f32>(y));
  }
}

export function clear(at: usize, bytes: usize): void {
  for (const end = at + bytes; at < end; at += 16) v128.store(at, f32x4.splat(0));
}
