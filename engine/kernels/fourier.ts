// @ts-nocheck AssemblyScript: compiled by build.ts, not checked by Deno
/**
 * The discrete Fourier transform of many lines of complex numbers, whose real and imaginary parts are apart.
 *
 * Sixteen lines are taken at once, each in a lane of its own, so that a line's bits do not depend on its neighbours.
 * They go through passes of radix 4, 3 and 2, each of which reads one buffer and writes another in such an order that the
 * last one leaves frequencies in theirs: Stockham's algorithm (Van Loan, Computational Frameworks for the Fast Fourier
 * Transform, 1992, §1.7).
 *
 * Pointers are in bytes, sizes in values.
 */
import { madd } from "./shared/simd.ts";

/** Lines that are transformed at once: as many as a line of the cache has values. */
const LANES = 16;

/** The bytes of the roots of unity and of two buffers of complex lines. */
export function fourierScratch(length: i32): i32 {
  return 16 * ((length + 1) >> 1) + 16 * LANES * length;
}

/**
 * out[k] = Σ_n x[n] e^(−2πi kn / length) along the middle axis of x `[outer, length, inner]`. `cosine` and `sine` are of
 * 2π / length, whose only prime factors are 2 and 3. The inverse, times the length, is the same with real and imaginary
 * parts exchanged in x and in out.
 */
export function fourier(
  re: usize,
  im: usize,
  outRe: usize,
  outIm: usize,
  outer: i32,
  length: i32,
  inner: i32,
  cosine: f64,
  sine: f64,
  scratch: usize,
): void {
  const roots = scratch;
  fillRoots(roots, length, cosine, sine);
  const buffer = roots + 16 * ((length + 1) >> 1);
  const lines = outer * inner;
  for (let line = 0; line < lines; line += LANES) {
    const wide = min(LANES, (lines - line + 3) & ~3);
    const plane: usize = (length * wide) << 2;
    const second = buffer + 2 * plane;
    gather(re, buffer, line, wide, lines, length, inner);
    gather(im, buffer + plane, line, wide, lines, length, inner);
    const result = passes(buffer, second, roots, length, wide);
    scatter(result, outRe, line, wide, lines, length, inner);
    scatter(result + plane, outIm, line, wide, lines, length, inner);
  }
}

/** e^(−2πi t / length), t from 0 on: each the one before it times the first, which in double precision is close enough. */
function fillRoots(roots: usize, length: i32, cosine: f64, sine: f64): void {
  let re: f64 = 1, im: f64 = 0;
  for (let t = 0; t < length; t++, roots += 8) {
    store<f32>(roots, <f32> re);
    store<f32>(roots, <f32> -im, 4);
    const next = re * cosine - im * sine;
    im = re * sine + im * cosine;
    re = next;
  }
}

/** Lines from `line` on into lanes `[length][wide]`; lanes beyond the last line repeat it. */
function gather(x: usize, buffer: usize, line: i32, wide: i32, lines: i32, length: i32, inner: i32): void {
  const step: usize = inner << 2, row: usize = wide << 2;
  if ((inner & 3) == 0) {
    for (let lane = 0; lane < wide; lane += 4) {
      let from = startOf(x, line + lane, length, inner);
      let to = buffer + (<usize> lane << 2);
      for (let n = 0; n < length; n++, from += step, to += row) v128.store(to, v128.load(from));
    }
    return;
  }
  for (let lane = 0; lane < wide; lane++) {
    let from = startOf(x, min(line + lane, lines - 1), length, inner);
    let to = buffer + (<usize> lane << 2);
    for (let n = 0; n < length; n++, from += step, to += row) store<f32>(to, load<f32>(from));
  }
}

/** The inverse of `gather`. */
function scatter(buffer: usize, out: usize, line: i32, wide: i32, lines: i32, length: i32, inner: i32): void {
  const step: usize = inner << 2, row: usize = wide << 2;
  if ((inner & 3) == 0) {
    for (let lane = 0; lane < wide; lane += 4) {
      let to = startOf(out, line + lane, length, inner);
      let from = buffer + (<usize> lane << 2);
      for (let n = 0; n < length; n++, from += row, to += step) v128.store(to, v128.load(from));
    }
    return;
  }
  for (let lane = 0; lane < min(wide, lines - line); lane++) {
    let to = startOf(out, line + lane, length, inner);
    let from = buffer + (<usize> lane << 2);
    for (let n = 0; n < length; n++, from += row, to += step) store<f32>(to, load<f32>(from));
  }
}

function startOf(x: usize, line: i32, length: i32, inner: i32): usize {
  return x + (<usize> (line / inner * length * inner + line % inner) << 2);
}

/** All passes over lanes `[2][length][wide]` in `from`, with `to` for the other buffer; returns the one with the result. */
function passes(from: usize, to: usize, roots: usize, length: i32, wide: i32): usize {
  const plane: usize = (length * wide) << 2;
  let run: usize = wide << 2;
  for (let rest = length; rest > 1;) {
    const radix = (rest & 3) == 0 ? 4 : rest % 3 == 0 ? 3 : 2;
    const parts = rest / radix;
    const step = length / rest;
    if (radix == 4) pass4(from, to, roots, plane, parts, run, step);
    else if (radix == 3) pass3(from, to, roots, plane, parts, run, step);
    else pass2(from, to, roots, plane, parts, run, step);
    const spent = from;
    from = to;
    to = spent;
    rest = parts;
    run *= radix;
  }
  return from;
}

// A pass makes of each `radix` numbers, `parts` runs apart, their transform times roots of unity.

function pass4(from: usize, to: usize, roots: usize, plane: usize, parts: i32, run: usize, step: i32): void {
  const apart = <usize> parts * run;
  for (let part = 0; part < parts; part++, from += run, to += 4 * run) {
    const root = roots + (<usize> (part * step) << 3);
    const re1 = v128.load32_splat(root), im1 = v128.load32_splat(root, 4);
    const root2 = roots + (<usize> (2 * part * step) << 3);
    const re2 = v128.load32_splat(root2), im2 = v128.load32_splat(root2, 4);
    const root3 = roots + (<usize> (3 * part * step) << 3);
    const re3 = v128.load32_splat(root3), im3 = v128.load32_splat(root3, 4);
    for (let j: usize = 0; j < run; j += 16) {
      let at = from + j;
      const r0 = v128.load(at), i0 = v128.load(at + plane);
      at += apart;
      const r1 = v128.load(at), i1 = v128.load(at + plane);
      at += apart;
      const r2 = v128.load(at), i2 = v128.load(at + plane);
      at += apart;
      const r3 = v128.load(at), i3 = v128.load(at + plane);
      const evenR = f32x4.add(r0, r2), evenI = f32x4.add(i0, i2);
      const oddR = f32x4.add(r1, r3), oddI = f32x4.add(i1, i3);
      const acrossR = f32x4.sub(r0, r2), acrossI = f32x4.sub(i0, i2);
      const turnedR = f32x4.sub(i1, i3), turnedI = f32x4.sub(r3, r1);
      let out = to + j;
      v128.store(out, f32x4.add(evenR, oddR));
      v128.store(out + plane, f32x4.add(evenI, oddI));
      out += run;
      storeProduct(out, plane, f32x4.add(acrossR, turnedR), f32x4.add(acrossI, turnedI), re1, im1);
      out += run;
      storeProduct(out, plane, f32x4.sub(evenR, oddR), f32x4.sub(evenI, oddI), re2, im2);
      out += run;
      storeProduct(out, plane, f32x4.sub(acrossR, turnedR), f32x4.sub(acrossI, turnedI), re3, im3);
    }
  }
}

function pass3(from: usize, to: usize, roots: usize, plane: usize, parts: i32, run: usize, step: i32): void {
  const apart = <usize> parts * run;
  const half = f32x4.splat(-0.5), sine = f32x4.splat(0.8660254037844386);
  for (let part = 0; part < parts; part++, from += run, to += 3 * run) {
    const root = roots + (<usize> (part * step) << 3);
    const re1 = v128.load32_splat(root), im1 = v128.load32_splat(root, 4);
    const root2 = roots + (<usize> (2 * part * step) << 3);
    const re2 = v128.load32_splat(root2), im2 = v128.load32_splat(root2, 4);
    for (let j: usize = 0; j < run; j += 16) {
      let at = from + j;
      const r0 = v128.load(at), i0 = v128.load(at + plane);
      at += apart;
      const r1 = v128.load(at), i1 = v128.load(at + plane);
      at += apart;
      const r2 = v128.load(at), i2 = v128.load(at + plane);
      const sumR = f32x4.add(r1, r2), sumI = f32x4.add(i1, i2);
      const middleR = madd(half, sumR, r0), middleI = madd(half, sumI, i0);
      const turnedR = f32x4.mul(sine, f32x4.sub(i1, i2)), turnedI = f32x4.mul(sine, f32x4.sub(r2, r1));
      let out = to + j;
      v128.store(out, f32x4.add(r0, sumR));
      v128.store(out + plane, f32x4.add(i0, sumI));
      out += run;
      storeProduct(out, plane, f32x4.add(middleR, turnedR), f32x4.add(middleI, turnedI), re1, im1);
      out += run;
      storeProduct(out, plane, f32x4.sub(middleR, turnedR), f32x4.sub(middleI, turnedI), re2, im2);
    }
  }
}

function pass2(from: usize, to: usize, roots: usize, plane: usize, parts: i32, run: usize, step: i32): void {
  const apart = <usize> parts * run;
  for (let part = 0; part < parts; part++, from += run, to += 2 * run) {
    const root = roots + (<usize> (part * step) << 3);
    const re1 = v128.load32_splat(root), im1 = v128.load32_splat(root, 4);
    for (let j: usize = 0; j < run; j += 16) {
      const at = from + j;
      const r0 = v128.load(at), i0 = v128.load(at + plane);
      const r1 = v128.load(at + apart), i1 = v128.load(at + apart + plane);
      const out = to + j;
      v128.store(out, f32x4.add(r0, r1));
      v128.store(out + plane, f32x4.add(i0, i1));
      storeProduct(out + run, plane, f32x4.sub(r0, r1), f32x4.sub(i0, i1), re1, im1);
    }
  }
}

/** (x + iy)·(re + i·im) */
function storeProduct(out: usize, plane: usize, x: v128, y: v128, re: v128, im: v128): void {
  v128.store(out, f32x4.sub(f32x4.mul(x, re), f32x4.mul(y, im)));
  v128.store(out + plane, madd(x, im, f32x4.mul(y, re)));
}
