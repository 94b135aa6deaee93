// @ts-nocheck AssemblyScript: compiled by build.ts, not checked by Deno
/**
 * Instance normalisation y = (x − μ)·r, r = 1/√(σ² + ε), per sample and channel of `[batch, pixels, channels]`, with its
 * first and second derivative.
 *
 * Each is three walks over the pixels: means, then products of what is centred (a one-pass variance loses
 * digits where |μ| ≫ σ), then the result. A walk goes block by block, a block being as many pixels as the first-level cache
 * holds, and within a block by groups of four channels, whose sums stay in registers (`shared/lanes.ts` has the channels
 * beyond a multiple of four); between blocks they wait in the group's slots in scratch memory. So memory is read once a
 * walk however many channels there are, and sums of blocks round less than one long sum. The order is fixed.
 */
import { get, put } from "./shared/lanes.ts";
import { madd } from "./shared/simd.ts";

/** Bytes of one array in a block: four arrays of these fill the 32 KB of a small first-level cache. */
const BLOCK = 8192;

/** A group's slots, as byte offsets: three means, then what the second walk sums, then what the third needs. */
const MEAN_X = 0, MEAN_V = 16, MEAN_G = 32, SUM_XX = 48, SUM_XV = 64, SUM_XG = 80, SUM_VG = 96;
const SLOTS = 112;

/** What a walk does. */
const ADD = 0, SQUARE = 1, NORMALISE = 2, ALONG = 3, DIFFERENTIATE = 4, CORRELATE = 5, CURVE = 6;

/** The scratch bytes of each function here. */
export function instanceNormScratch(channels: i32): i32 {
  return ((channels >> 2) + (channels & 3)) * SLOTS;
}

/** out = N(x). */
export function instanceNorm(
  x: usize,
  out: usize,
  batch: i32,
  pixels: i32,
  channels: i32,
  epsilon: f32,
  scratch: usize,
): void {
  const sampleBytes = (pixels * channels) << 2;
  for (let n = 0; n < batch; n++, x += sampleBytes, out += sampleBytes) {
    clear(scratch, channels);
    walk(ADD, x, x, x, MEAN_X, pixels, channels, scratch);
    divide(MEAN_X, pixels, channels, scratch);
    walk(SQUARE, x, x, x, x, pixels, channels, scratch);
    divide(SUM_XX, pixels, channels, scratch);
    invert(epsilon, channels, scratch);
    walk(NORMALISE, x, x, x, out, pixels, channels, scratch);
  }
}

/** out = N'(x) v = r (v − mean v − y ⟨y, v⟩/pixels). */
export function instanceNormGradient(
  x: usize,
  v: usize,
  out: usize,
  batch: i32,
  pixels: i32,
  channels: i32,
  epsilon: f32,
  scratch: usize,
): void {
  const sampleBytes = (pixels * channels) << 2;
  for (let n = 0; n < batch; n++, x += sampleBytes, v += sampleBytes, out += sampleBytes) {
    clear(scratch, channels);
    walk(ADD, x, x, x, MEAN_X, pixels, channels, scratch);
    walk(ADD, v, v, v, MEAN_V, pixels, channels, scratch);
    divide(MEAN_X, pixels, channels, scratch);
    divide(MEAN_V, pixels, channels, scratch);
    walk(ALONG, x, v, v, out, pixels, channels, scratch);
    divide(SUM_XX, pixels, channels, scratch);
    divide(SUM_XV, pixels, channels, scratch);
    invert(epsilon, channels, scratch);
    walk(DIFFERENTIATE, x, v, v, out, pixels, channels, scratch);
  }
}

/**
 * out = the gradient of ⟨g, N'(x) v⟩ in x: −r² [v′Q + g′P + y (S − 3PQ)] with v′ and g′ centred and the means over
 * the pixels P = mean v′y, Q = mean g′y, S = mean v′g′.
 */
export function instanceNormCurvature(
  x: usize,
  v: usize,
  g: usize,
  out: usize,
  batch: i32,
  pixels: i32,
  channels: i32,
  epsilon: f32,
  scratch: usize,
): void {
  const sampleBytes = (pixels * channels) << 2;
  for (let n = 0; n < batch; n++) {
    clear(scratch, channels);
    walk(ADD, x, x, x, MEAN_X, pixels, channels, scratch);
    walk(ADD, v, v, v, MEAN_V, pixels, channels, scratch);
    walk(ADD, g, g, g, MEAN_G, pixels, channels, scratch);
    divide(MEAN_X, pixels, channels, scratch);
    divide(MEAN_V, pixels, channels, scratch);
    divide(MEAN_G, pixels, channels, scratch);
    walk(CORRELATE, x, v, g, out, pixels, channels, scratch);
    divide(SUM_XX, pixels, channels, scratch);
    divide(SUM_XV, pixels, channels, scratch);
    divide(SUM_XG, pixels, channels, scratch);
    divide(SUM_VG, pixels, channels, scratch);
    invert(epsilon, channels, scratch);
    walk(CURVE, x, v, g, out, pixels, channels, scratch);
    x += sampleBytes;
    v += sampleBytes;
    g += sampleBytes;
    out += sampleBytes;
  }
}

/** One walk over the pixels of a sample. `out` is a pointer, or for ADD the slot. */
function walk(
  what: i32,
  x: usize,
  v: usize,
  g: usize,
  out: usize,
  pixels: i32,
  channels: i32,
  slots: usize,
): void {
  const stride = channels << 2;
  const block = max((BLOCK / stride) & ~3, 4);
  for (let pixel = 0; pixel < pixels; pixel += block) {
    const count = min(block, pixels - pixel);
    const from = <usize> pixel * stride;
    let slot = slots;
    let at = from;
    let c = 0;
    for (; c + 4 <= channels; c += 4, at += 16, slot += SLOTS) {
      visit<v128>(what, x + at, v + at, g + at, what == ADD ? out : out + at, count, stride, slot);
    }
    for (; c < channels; c++, at += 4, slot += SLOTS) {
      visit<f32>(what, x + at, v + at, g + at, what == ADD ? out : out + at, count, stride, slot);
    }
  }
}

/** One group of channels in one block of pixels. */
function visit<Lanes>(
  what: i32,
  x: usize,
  v: usize,
  g: usize,
  out: usize,
  count: i32,
  stride: usize,
  slot: usize,
): void {
  switch (what) {
    case ADD:
      return add<Lanes>(x, count, stride, slot + out);
    case SQUARE:
      return square<Lanes>(x, count, stride, slot);
    case NORMALISE:
      return normalise<Lanes>(x, out, count, stride, slot);
    case ALONG:
      return along<Lanes>(x, v, count, stride, slot);
    case DIFFERENTIATE:
      return differentiate<Lanes>(x, v, out, count, stride, slot);
    case CORRELATE:
      return correlate<Lanes>(x, v, g, count, stride, slot);
    default:
      return curve<Lanes>(x, v, g, out, count, stride, slot);
  }
}

/** Adds Σ x. Four pixels at a time in sums of their own, which hides the latency of additions. */
function add<Lanes>(x: usize, count: i32, stride: usize, sum: usize): void {
  let a = f32x4.splat(0), b = f32x4.splat(0), c = f32x4.splat(0), d = f32x4.splat(0);
  for (; count >= 4; count -= 4) {
    a = f32x4.add(a, get<Lanes>(x));
    x += stride;
    b = f32x4.add(b, get<Lanes>(x));
    x += stride;
    c = f32x4.add(c, get<Lanes>(x));
    x += stride;
    d = f32x4.add(d, get<Lanes>(x));
    x += stride;
  }
  for (; count > 0; count--, x += stride) a = f32x4.add(a, get<Lanes>(x));
  v128.store(sum, f32x4.add(v128.load(sum), f32x4.add(f32x4.add(a, b), f32x4.add(c, d))));
}

/** Adds Σ (x − μ)². */
function square<Lanes>(x: usize, count: i32, stride: usize, slot: usize): void {
  const mu = v128.load(slot, MEAN_X);
  let a = f32x4.splat(0), b = f32x4.splat(0), c = f32x4.splat(0), d = f32x4.splat(0);
  for (; count >= 4; count -= 4) {
    const x0 = f32x4.sub(get<Lanes>(x), mu);
    x += stride;
    const x1 = f32x4.sub(get<Lanes>(x), mu);
    x += stride;
    const x2 = f32x4.sub(get<Lanes>(x), mu);
    x += stride;
    const x3 = f32x4.sub(get<Lanes>(x), mu);
    x += stride;
    a = madd(x0, x0, a);
    b = madd(x1, x1, b);
    c = madd(x2, x2, c);
    d = madd(x3, x3, d);
  }
  for (; count > 0; count--, x += stride) {
    const x0 = f32x4.sub(get<Lanes>(x), mu);
    a = madd(x0, x0, a);
  }
  const sum = f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
  v128.store(slot, f32x4.add(v128.load(slot, SUM_XX), sum), SUM_XX);
}

function normalise<Lanes>(x: usize, out: usize, count: i32, stride: usize, slot: usize): void {
  const mu = v128.load(slot, MEAN_X);
  const r = v128.load(slot, SUM_XX);
  for (; count > 0; count--, x += stride, out += stride) {
    put<Lanes>(out, f32x4.mul(f32x4.sub(get<Lanes>(x), mu), r));
  }
}

/** Adds Σ (x − μ)² and Σ (x − μ)(v − ν). */
function along<Lanes>(x: usize, v: usize, count: i32, stride: usize, slot: usize): void {
  const mu = v128.load(slot, MEAN_X);
  const nu = v128.load(slot, MEAN_V);
  let a = f32x4.splat(0), b = f32x4.splat(0), c = f32x4.splat(0), d = f32x4.splat(0);
  for (; count >= 2; count -= 2) {
    const x0 = f32x4.sub(get<Lanes>(x), mu);
    x += stride;
    const x1 = f32x4.sub(get<Lanes>(x), mu);
    x += stride;
    a = madd(x0, x0, a);
    b = madd(x1, x1, b);
    c = madd(x0, f32x4.sub(get<Lanes>(v), nu), c);
    v += stride;
    d = madd(x1, f32x4.sub(get<Lanes>(v), nu), d);
    v += stride;
  }
  if (count > 0) {
    const x0 = f32x4.sub(get<Lanes>(x), mu);
    a = madd(x0, x0, a);
    c = madd(x0, f32x4.sub(get<Lanes>(v), nu), c);
  }
  v128.store(slot, f32x4.add(v128.load(slot, SUM_XX), f32x4.add(a, b)), SUM_XX);
  v128.store(slot, f32x4.add(v128.load(slot, SUM_XV), f32x4.add(c, d)), SUM_XV);
}

function differentiate<Lanes>(x: usize, v: usize, out: usize, count: i32, stride: usize, slot: usize): void {
  const mu = v128.load(slot, MEAN_X);
  const nu = v128.load(slot, MEAN_V);
  const r = v128.load(slot, SUM_XX);
  // With x − μ = y/r: y ⟨y, v⟩/pixels = (x − μ)·r² mean (x − μ)(v − ν).
  const slope = f32x4.neg(f32x4.mul(f32x4.mul(r, r), v128.load(slot, SUM_XV)));
  for (; count > 0; count--, x += stride, v += stride, out += stride) {
    const centred = f32x4.sub(get<Lanes>(v), nu);
    put<Lanes>(out, f32x4.mul(r, madd(slope, f32x4.sub(get<Lanes>(x), mu), centred)));
  }
}

/** Adds Σ (x − μ)², Σ (x − μ)v′, Σ (x − μ)g′ and Σ v′g′. */
function correlate<Lanes>(x: usize, v: usize, g: usize, count: i32, stride: usize, slot: usize): void {
  const mu = v128.load(slot, MEAN_X);
  const nu = v128.load(slot, MEAN_V);
  const gamma = v128.load(slot, MEAN_G);
  let xx = f32x4.splat(0), xv = f32x4.splat(0), xg = f32x4.splat(0), vg = f32x4.splat(0);
  for (; count > 0; count--, x += stride, v += stride, g += stride) {
    const x0 = f32x4.sub(get<Lanes>(x), mu);
    const v0 = f32x4.sub(get<Lanes>(v), nu);
    const g0 = f32x4.sub(get<Lanes>(g), gamma);
    xx = madd(x0, x0, xx);
    xv = madd(x0, v0, xv);
    xg = madd(x0, g0, xg);
    vg = madd(v0, g0, vg);
  }
  v128.store(slot, f32x4.add(v128.load(slot, SUM_XX), xx), SUM_XX);
  v128.store(slot, f32x4.add(v128.load(slot, SUM_XV), xv), SUM_XV);
  v128.store(slot, f32x4.add(v128.load(slot, SUM_XG), xg), SUM_XG);
  v128.store(slot, f32x4.add(v128.load(slot, SUM_VG), vg), SUM_VG);
}

function curve<Lanes>(
  x: usize,
  v: usize,
  g: usize,
  out: usize,
  count: i32,
  stride: usize,
  slot: usize,
): void {
  const mu = v128.load(slot, MEAN_X);
  const nu = v128.load(slot, MEAN_V);
  const gamma = v128.load(slot, MEAN_G);
  const r = v128.load(slot, SUM_XX);
  const P = f32x4.mul(r, v128.load(slot, SUM_XV));
  const Q = f32x4.mul(r, v128.load(slot, SUM_XG));
  const S = v128.load(slot, SUM_VG);
  const minusR2 = f32x4.neg(f32x4.mul(r, r));
  const ofV = f32x4.mul(minusR2, Q);
  const ofG = f32x4.mul(minusR2, P);
  const three = f32x4.mul(f32x4.splat(3), f32x4.mul(P, Q));
  const ofX = f32x4.mul(f32x4.mul(minusR2, r), f32x4.sub(S, three));
  for (; count > 0; count--, x += stride, v += stride, g += stride, out += stride) {
    const alongV = f32x4.mul(ofV, f32x4.sub(get<Lanes>(v), nu));
    const alongG = madd(ofG, f32x4.sub(get<Lanes>(g), gamma), alongV);
    put<Lanes>(out, madd(ofX, f32x4.sub(get<Lanes>(x), mu), alongG));
  }
}

// Between walks: every group's slots.

function clear(slots: usize, channels: i32): void {
  const end = slots + instanceNormScratch(channels);
  for (; slots < end; slots += 16) v128.store(slots, f32x4.splat(0));
}

/** Sums to means. */
function divide(which: usize, pixels: i32, channels: i32, slots: usize): void {
  const end = slots + instanceNormScratch(channels);
  for (; slots < end; slots += SLOTS) {
    v128.store(slots + which, f32x4.div(v128.load(slots + which), f32x4.splat(<f32> pixels)));
  }
}

/** The variance to r = 1/√(σ² + ε). */
function invert(epsilon: f32, channels: i32, slots: usize): void {
  const end = slots + instanceNormScratch(channels);
  for (; slots < end; slots += SLOTS) {
    const variance = f32x4.add(v128.load(slots, SUM_XX), f32x4.splat(epsilon));
    v128.store(slots, f32x4.div(f32x4.splat(1), f32x4.sqrt(variance)), SUM_XX);
  }
}
