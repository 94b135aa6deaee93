// @ts-nocheck AssemblyScript: compiled by build.ts, not checked by Deno
/**
 * Kernels that move values about, or join the 2x2 blocks of an image: space to depth and back, pooling, upsampling,
 * joining, cutting and padding channels, and stacking the slices of volumes.
 *
 * Images are `[batch, height, width, channels]`: the channels of one pixel, or of a row of pixels, are neighbours and
 * move as one run, vector by vector. (V8's `memory.copy` is a call out of WebAssembly, too dear for 32 bytes.)
 */
import { get, put } from "./shared/lanes.ts";

/**
 * out `[batch, rows, columns, block·block·channels]` = the blocks of x `[batch, height, width, channels]` with `padding`
 * zeros before it and as many as it takes after it.
 */
export function spaceToDepth(
  x: usize,
  out: usize,
  batch: i32,
  height: i32,
  width: i32,
  channels: i32,
  block: i32,
  padding: i32,
  rows: i32,
  columns: i32,
): void {
  const pixelBytes = channels << 2;
  const runBytes = block * pixelBytes;
  const rowBytes = width * pixelBytes;
  for (let n = 0; n < batch; n++, x += height * rowBytes) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const left = column * block - padding;
        const first = min(max(left, 0), width);
        const last = max(first, min(left + block, width));
        const inside = (last - first) * pixelBytes;
        const before = inside > 0 ? (first - left) * pixelBytes : runBytes;
        for (let down = 0; down < block; down++, out += runBytes) {
          const y = row * block + down - padding;
          if (y < 0 || y >= height) {
            clear(out, runBytes);
            continue;
          }
          clear(out, before);
          copy(out + before, x + y * rowBytes + first * pixelBytes, inside);
          clear(out + before + inside, runBytes - before - inside);
        }
      }
    }
  }
}

/** The adjoint of `spaceToDepth`: out `[batch, height, width, channels]` from x `[batch, rows, columns, block·block·channels]`. */
export function depthToSpace(
  x: usize,
  out: usize,
  batch: i32,
  height: i32,
  width: i32,
  channels: i32,
  block: i32,
  padding: i32,
  rows: i32,
  columns: i32,
): void {
  const pixelBytes = channels << 2;
  const runBytes = block * pixelBytes;
  const blockBytes = block * runBytes;
  const covered = min(width, max(columns * block - padding, 0)); // columns of out that some block reaches
  for (let n = 0; n < batch; n++, x += rows * columns * blockBytes) {
    for (let y = 0; y < height; y++, out += width * pixelBytes) {
      const row = (y + padding) / block;
      if (row >= rows) {
        clear(out, width * pixelBytes);
        continue;
      }
      const from = x + row * columns * blockBytes + ((y + padding) % block) * runBytes;
      for (let column = padding / block; column < columns; column++) {
        const left = column * block - padding;
        const first = max(left, 0);
        const last = min(left + block, covered);
        if (first >= last) break;
        copy(
          out + first * pixelBytes,
          from + column * blockBytes + (first - left) * pixelBytes,
          (last - first) * pixelBytes,
        );
      }
      clear(out + covered * pixelBytes, (width - covered) * pixelBytes);
    }
  }
}

/**
 * out `[rows, columns, size]` = scale times the sums of the 2x2 blocks of x `[2·rows, 2·columns, channels]`, of its
 * channels from `start` on.
 */
export function blockSum(
  x: usize,
  out: usize,
  rows: i32,
  columns: i32,
  channels: i32,
  start: i32,
  size: i32,
  scale: f32,
): void {
  const scales = f32x4.splat(scale);
  const pixelBytes = channels << 2;
  const rowBytes = 2 * columns * pixelBytes;
  const next = 2 * pixelBytes - (size << 2);
  x += start << 2;
  for (let row = 0; row < rows; row++, x += rowBytes) {
    for (let column = 0; column < columns; column++, x += next) {
      let c = 0;
      for (; c + 4 <= size; c += 4, x += 16, out += 16) {
        const upper = f32x4.add(v128.load(x), v128.load(x + pixelBytes));
        const lower = f32x4.add(v128.load(x + rowBytes), v128.load(x + rowBytes + pixelBytes));
        v128.store(out, f32x4.mul(scales, f32x4.add(upper, lower)));
      }
      for (; c < size; c++, x += 4, out += 4) {
        const upper = load<f32>(x) + load<f32>(x + pixelBytes);
        const lower = load<f32>(x + rowBytes) + load<f32>(x + rowBytes + pixelBytes);
        store<f32>(out, scale * (upper + lower));
      }
    }
  }
}

/**
 * The channels from `start` on of out `[2·rows, 2·columns, channels]` = each pixel of x `[rows, columns, size]` times
 * scale as a 2x2 block; the other channels are left as they are.
 */
export function blockFill(
  x: usize,
  out: usize,
  rows: i32,
  columns: i32,
  channels: i32,
  start: i32,
  size: i32,
  scale: f32,
): void {
  const scales = f32x4.splat(scale);
  const pixelBytes = channels << 2;
  const rowBytes = 2 * columns * pixelBytes;
  const next = 2 * pixelBytes - (size << 2);
  out += start << 2;
  for (let row = 0; row < rows; row++, out += rowBytes) {
    for (let column = 0; column < columns; column++, out += next) {
      let c = 0;
      for (; c + 4 <= size; c += 4, x += 16, out += 16) {
        const value = f32x4.mul(scales, v128.load(x));
        v128.store(out, value);
        v128.store(out + pixelBytes, value);
        v128.store(out + rowBytes, value);
        v128.store(out + rowBytes + pixelBytes, value);
      }
      for (; c < size; c++, x += 4, out += 4) {
        const value = scale * load<f32>(x);
        store<f32>(out, value);
        store<f32>(out + pixelBytes, value);
        store<f32>(out + rowBytes, value);
        store<f32>(out + rowBytes + pixelBytes, value);
      }
    }
  }
}

/**
 * out `[rows, columns, channels]` = of each 2x2 block of x `[2·rows, 2·columns, channels]` the value at the place of the
 * first maximum of `where`, which has x's shape.
 */
export function pickMaximum(
  where: usize,
  x: usize,
  out: usize,
  rows: i32,
  columns: i32,
  channels: i32,
): void {
  const right = channels << 2;
  const below = 2 * columns * right;
  for (let row = 0; row < rows; row++, where += below, x += below) {
    for (let column = 0; column < columns; column++, where += right, x += right) {
      let c = 0;
      for (; c + 4 <= channels; c += 4, where += 16, x += 16, out += 16) {
        pick<v128>(where, x, out, right, below);
      }
      for (; c < channels; c++, where += 4, x += 4, out += 4) pick<f32>(where, x, out, right, below);
    }
  }
}

/** The adjoint of `pickMaximum` in x: zeros, but x `[rows, columns, channels]` at the first maximum of each block. */
export function placeMaximum(
  where: usize,
  x: usize,
  out: usize,
  rows: i32,
  columns: i32,
  channels: i32,
): void {
  const right = channels << 2;
  const below = 2 * columns * right;
  for (let row = 0; row < rows; row++, where += below, out += below) {
    for (let column = 0; column < columns; column++, where += right, out += right) {
      let c = 0;
      for (; c + 4 <= channels; c += 4, where += 16, x += 16, out += 16) {
        place<v128>(where, x, out, right, below);
      }
      for (; c < channels; c++, where += 4, x += 4, out += 4) place<f32>(where, x, out, right, below);
    }
  }
}

/** Masks instead of branches, which no processor could foretell. A later value must be larger to win. */
function pick<Lanes>(where: usize, x: usize, out: usize, right: usize, below: usize): void {
  let most = get<Lanes>(where);
  let value = get<Lanes>(x);
  let next = get<Lanes>(where + right);
  let larger = f32x4.gt(next, most);
  most = v128.bitselect(next, most, larger);
  value = v128.bitselect(get<Lanes>(x + right), value, larger);
  next = get<Lanes>(where + below);
  larger = f32x4.gt(next, most);
  most = v128.bitselect(next, most, larger);
  value = v128.bitselect(get<Lanes>(x + below), value, larger);
  larger = f32x4.gt(get<Lanes>(where + below + right), most);
  put<Lanes>(out, v128.bitselect(get<Lanes>(x + below + right), value, larger));
}

function place<Lanes>(where: usize, x: usize, out: usize, right: usize, below: usize): void {
  let most = get<Lanes>(where);
  let next = get<Lanes>(where + right);
  const second = f32x4.gt(next, most);
  most = v128.bitselect(next, most, second);
  next = get<Lanes>(where + below);
  const third = f32x4.gt(next, most);
  most = v128.bitselect(next, most, third);
  const fourth = f32x4.gt(get<Lanes>(where + below + right), most);
  // The last one that was larger than all before it is the first maximum.
  const value = get<Lanes>(x);
  const late = v128.or(third, fourth);
  put<Lanes>(out, v128.andnot(value, v128.or(second, late)));
  put<Lanes>(out + right, v128.andnot(v128.and(value, second), late));
  put<Lanes>(out + below, v128.andnot(v128.and(value, third), fourth));
  put<Lanes>(out + below + right, v128.and(value, fourth));
}

/** The channels from `start` on of out `[pixels, channels]` = x `[pixels, size]`; the others are left as they are. */
export function placeChannels(x: usize, out: usize, pixels: i32, channels: i32, start: i32, size: i32): void {
  const sizeBytes = size << 2;
  out += start << 2;
  for (let pixel = 0; pixel < pixels; pixel++, x += sizeBytes, out += channels << 2) copy(out, x, sizeBytes);
}

/** out `[pixels, size]` = the channels from `start` on of x `[pixels, channels]`. */
export function sliceChannels(x: usize, out: usize, pixels: i32, channels: i32, start: i32, size: i32): void {
  const sizeBytes = size << 2;
  x += start << 2;
  for (let pixel = 0; pixel < pixels; pixel++, x += channels << 2, out += sizeBytes) copy(out, x, sizeBytes);
}

/** The adjoint of `sliceChannels`: out `[pixels, channels]` = zeros, but x `[pixels, size]` from channel `start` on. */
export function padChannels(x: usize, out: usize, pixels: i32, channels: i32, start: i32, size: i32): void {
  const startBytes = start << 2, sizeBytes = size << 2, allBytes = channels << 2;
  for (let pixel = 0; pixel < pixels; pixel++, x += sizeBytes, out += allBytes) {
    clear(out, startBytes);
    copy(out + startBytes, x, sizeBytes);
    clear(out + startBytes + sizeBytes, allBytes - startBytes - sizeBytes);
  }
}

/**
 * out `[volumes, steps, pixels, taps·channels]` from the slices of x `[volumes, depth, pixels, channels]`: tap t of step z
 * is the slice z·stride + t − padding, zeros where there is none.
 */
export function stackSlices(
  x: usize,
  out: usize,
  volumes: i32,
  depth: i32,
  pixels: i32,
  channels: i32,
  taps: i32,
  stride: i32,
  padding: i32,
  steps: i32,
): void {
  const tapBytes = channels << 2;
  const stackBytes = taps * tapBytes;
  const sliceBytes = pixels * tapBytes;
  for (let n = 0; n < volumes; n++, x += depth * sliceBytes) {
    for (let step = 0; step < steps; step++, out += taps * sliceBytes) {
      for (let tap = 0; tap < taps; tap++) {
        const slice = step * stride + tap - padding;
        let from = x + slice * sliceBytes;
        let to = out + tap * tapBytes;
        if (slice < 0 || slice >= depth) {
          for (let pixel = 0; pixel < pixels; pixel++, to += stackBytes) clear(to, tapBytes);
        } else {
          for (let pixel = 0; pixel < pixels; pixel++, from += tapBytes, to += stackBytes) {
            copy(to, from, tapBytes);
          }
        }
      }
    }
  }
}

/** The adjoint of `stackSlices`: out `[volumes, depth, pixels, channels]`, each slice the sum of its copies in x. */
export function unstackSlices(
  x: usize,
  out: usize,
  volumes: i32,
  depth: i32,
  pixels: i32,
  channels: i32,
  taps: i32,
  stride: i32,
  padding: i32,
  steps: i32,
): void {
  const tapBytes = channels << 2;
  const stackBytes = taps * tapBytes;
  const sliceBytes = pixels * tapBytes;
  for (let n = 0; n < volumes; n++, x += steps * pixels * stackBytes) {
    for (let slice = 0; slice < depth; slice++, out += sliceBytes) {
      let copies = 0;
      for (let tap = 0; tap < taps; tap++) {
        const from = slice + padding - tap;
        if (from < 0 || from % stride != 0 || from / stride >= steps) continue;
        const stack = x + (from / stride) * pixels * stackBytes + tap * tapBytes;
        if (copies++ == 0) moveTap(stack, out, pixels, tapBytes, stackBytes);
        else addTap(stack, out, pixels, tapBytes, stackBytes);
      }
      if (copies == 0) clear(out, sliceBytes);
    }
  }
}

function moveTap(x: usize, out: usize, pixels: i32, tapBytes: i32, stackBytes: i32): void {
  for (; pixels > 0; pixels--, x += stackBytes, out += tapBytes) copy(out, x, tapBytes);
}

function addTap(x: usize, out: usize, pixels: i32, tapBytes: i32, stackBytes: i32): void {
  const skip = stackBytes - tapBytes;
  for (; pixels > 0; pixels--, x += skip) {
    let bytes = tapBytes;
    for (; bytes >= 16; bytes -= 16, x += 16, out += 16) {
      v128.store(out, f32x4.add(v128.load(out), v128.load(x)));
    }
    for (; bytes > 0; bytes -= 4, x += 4, out += 4) store<f32>(out, load<f32>(out) + load<f32>(x));
  }
}

/** Copies a multiple of 4 bytes. */
function copy(to: usize, from: usize, bytes: i32): void {
  for (; bytes >= 16; bytes -= 16, to += 16, from += 16) v128.store(to, v128.load(from));
  for (; bytes > 0; bytes -= 4, to += 4, from += 4) store<f32>(to, load<f32>(from));
}

/** Writes zeros over a multiple of 4 bytes. */
function clear(to: usize, bytes: i32): void {
  for (; bytes >= 16; bytes -= 16, to += 16) v128.store(to, f32x4.splat(0));
  for (; bytes > 0; bytes -= 4, to += 4) store<f32>(to, 0);
}
