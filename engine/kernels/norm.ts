// @ts-nocheck AssemblyScript: compiled by build.ts, not checked by Deno
/**
 * Instance normalisation followed by a leaky ReLU, y = L((x − μ)·r), r = 1/√(σ² + ε), per sample and channel of
 * `[batch, pixels, channels]`, with its first and second derivative. With slope 1, L is the identity.
 *
 * The statistics μ and r are measured once, `[batch, 2, channels]`, and read by all that follows. L enters the
 * derivatives as the diagonal D of its slopes, which the sign of x − μ tells. A function here is two or three walks
 * over the pixels: sums, then the result. A walk goes block by block, a block being as many pixels as the first-level
 * cache holds, and within a block by groups of four channels, whose sums stay in registers (`shared/lanes.ts` has the
 * channels beyond a multiple of four); between blocks they wait in the group's slots in scratch memory. So memory is
 * read once a walk however many channels there are, and sums of blocks round less than one long sum. The order is
 * fixed.
 */
import { get, put } from "./shared/lanes.ts";
import { madd } from "./shared/simd.ts";

/** Bytes of one array in a block: four arrays of these fill the 32 KB of a small first-level cache. */
const BLOCK = 8192;

/** A group's slots, as byte offsets. */
const SUM_V = 0, SUM_G = 16, SUM_XV = 32, SUM_XG = 48, SUM_VG = 64;
const SLOTS = 80;

/** What a walk does. */
const MEASURE = 0, NORMALISE = 1, ALONG = 2, DIFFERENTIATE = 3, ADD = 4, CORRELATE = 5, CURVE = 6;

/** The scratch bytes of each function here that takes any. */
export function instanceNormScratch(channels: i32): i32 {
  return ((channels >> 2) + (channels & 3)) * SLOTS;
}

/** out `[batch, 2, channels]` = μ and r of each channel. */
export function instanceNormStatistics(
  x: usize,
  out: usize,
  batch: i32,
  pixels: i32,
  channels: i32,
  epsilon: f32,
): void {
  const bytes = channels << 2;
  for (let n = 0; n < batch; n++, x += pixels * bytes) {
    walk(MEASURE, x, x, x, out, x, pixels, channels, 1, 1, 0);
    out += bytes;
    for (const end = out + bytes; out < end; out += 4) {
      store<f32>(out, 1 / sqrt<f32>(load<f32>(out) / <f32> pixels + epsilon));
    }
  }
}

/** out = y. */
export function instanceNorm(
  x: usize,
  statistics: usize,
  out: usize,
  batch: i32,
  pixels: i32,
  channels: i32,
  slope: f32,
): void {
  const bytes = channels << 2;
  for (let n = 0; n < batch; n++, x += pixels * bytes, out += pixels * bytes, statistics += 2 * bytes) {
    walk(NORMALISE, x, x, x, statistics, out, pixels, channels, slope, 1, 0);
  }
}

/**
 * out = D″ N'(x) D′ v, D′ having the slope `inner` and D″ `outer`: with w = D′v it is D″ r (w − mean w − N(x)
 * ⟨N(x), w⟩/pixels).
 */
export function instanceNormGradient(
  x: usize,
  statistics: usize,
  v: usize,
  out: usize,
  batch: i32,
  pixels: i32,
  channels: i32,
  inner: f32,
  outer: f32,
  scratch: usize,
): void {
  const bytes = channels << 2;
  const sampleBytes = pixels * bytes;
  for (let n = 0; n < batch; n++, x += sampleBytes, v += sampleBytes, out += sampleBytes) {
    clear(scratch, channels);
    walk(ALONG, x, v, v, statistics, out, pixels, channels, inner, outer, scratch);
    divide(SUM_V, pixels, channels, scratch);
    divide(SUM_XV, pixels, channels, scratch);
    walk(DIFFERENTIATE, x, v, v, statistics, out, pixels, channels, inner, outer, scratch);
    statistics += 2 * bytes;
  }
}

/**
 * out = the gradient of ⟨g, D″ N'(x) D′ v⟩ in x. With v′ = D′v and g′ = D″g centred, and the means over the pixels
 * P = mean v′y, Q = mean g′y, S = mean v′g′ of y = N(x), it is −r² [v′Q + g′P + y (S − 3PQ)].
 */
export function instanceNormCurvature(
  x: usize,
  statistics: usize,
  v: usize,
  g: usize,
  out: usize,
  batch: i32,
  pixels: i32,
  channels: i32,
  inner: f32,
  outer: f32,
  scratch: usize,
): void {
  const bytes = channels << 2;
  const sampleBytes = pixels * bytes;
  for (let n = 0; n < batch; n++, x += sampleBytes, out += sampleBytes) {
    clear(scratch, channels);
    walk(ADD, x, v, g, statistics, out, pixels, channels, inner, outer, scratch);
    divide(SUM_V, pixels, channels, scratch);
    divide(SUM_G, pixels, channels, scratch);
    walk(CORRELATE, x, v, g, statistics, out, pixels, channels, inner, outer, scratch);
    divide(SUM_XV, pixels, channels, scratch);
    divide(SUM_XG, pixels, channels, scratch);
    divide(SUM_VG, pixels, channels, scratch);
    walk(CURVE, x, v, g, statistics, out, pixels, channels, inner, outer, scratch);
    v += sampleBytes, g += sampleBytes, statistics += 2 * bytes;
  }
}

/** One walk over the pixels of a sample, D′ having the slope `p`, D″ `q`. */
function walk(
  what: i32,
  x: usize,
  v: usize,
  g: usize,
  statistics: usize,
  out: usize,
  pixels: i32,
  channels: i32,
  p: f32,
  q: f32,
  slots: usize,
): void {
  const stride = channels << 2;
  const block = max((BLOCK / stride) & ~3, 4);
  for (let pixel = 0; pixel < pixels; pixel += block) {
    const count = min(block, pixels - pixel);
    let slot = slots, mean = statistics, at: usize = pixel * stride;
    let c = 0;
    for (; c + 4 <= channels; c += 4, at += 16, mean += 16, slot += SLOTS) {
      visit<v128>(what, x + at, v + at, g + at, mean, out + at, count, stride, pixel, p, q, slot);
    }
    for (; c < channels; c++, at += 4, mean += 4, slot += SLOTS) {
      visit<f32>(what, x + at, v + at, g + at, mean, out + at, count, stride, pixel, p, q, slot);
    }
  }
}

/** One group of channels in one block of pixels, before which there were `done`. */
function visit<Lanes>(
  what: i32,
  x: usize,
  v: usize,
  g: usize,
  mean: usize,
  out: usize,
  count: i32,
  stride: usize,
  done: i32,
  p: f32,
  q: f32,
  slot: usize,
): void {
  switch (what) {
    case MEASURE:
      return measure<Lanes>(x, mean, count, stride, done);
    case NORMALISE:
      return normalise<Lanes>(x, mean, out, count, stride, p);
    case ALONG:
      return along<Lanes>(x, v, mean, count, stride, p, slot);
    case DIFFERENTIATE:
      return differentiate<Lanes>(x, v, mean, out, count, stride, p, q, slot);
    case ADD:
      return add<Lanes>(x, v, g, mean, count, stride, p, q, slot);
    case CORRELATE:
      return correlate<Lanes>(x, v, g, mean, count, stride, p, q, slot);
    default:
      return curve<Lanes>(x, v, g, mean, out, count, stride, p, q, slot);
  }
}

/** v where `centred` is positive, slope·v elsewhere. */
function sloped(v: v128, centred: v128, slope: v128): v128 {
  return v128.bitselect(v, f32x4.mul(v, slope), f32x4.gt(centred, f32x4.splat(0)));
}

/**
 * The block's mean and sum of squares around it, put together with those of the `done` pixels before it (Chan, Golub
 * & LeVeque 1983, doi:10.1080/00031305.1983.10483115, eq. 2.1): one reading of memory, and no digits lost where
 * |μ| ≫ σ. Four pixels at a time in sums of their own, which hides the latency of additions.
 */
function measure<Lanes>(x: usize, mean: usize, count: i32, stride: usize, done: i32): void {
  const zero = f32x4.splat(0);
  const start = x;
  let a = zero, b = zero, c = zero, d = zero;
  let left = count;
  for (; left >= 4; left -= 4) {
    a = f32x4.add(a, get<Lanes>(x));
    x += stride;
    b = f32x4.add(b, get<Lanes>(x));
    x += stride;
    c = f32x4.add(c, get<Lanes>(x));
    x += stride;
    d = f32x4.add(d, get<Lanes>(x));
    x += stride;
  }
  for (; left > 0; left--, x += stride) a = f32x4.add(a, get<Lanes>(x));
  const own = f32x4.div(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), f32x4.splat(<f32> count));
  a =
    b =
    c =
    d =
      zero;
  x = start;
  for (left = count; left >= 4; left -= 4) {
    const x0 = f32x4.sub(get<Lanes>(x), own);
    x += stride;
    const x1 = f32x4.sub(get<Lanes>(x), own);
    x += stride;
    const x2 = f32x4.sub(get<Lanes>(x), own);
    x += stride;
    const x3 = f32x4.sub(get<Lanes>(x), own);
    x += stride;
    a = madd(x0, x0, a), b = madd(x1, x1, b), c = madd(x2, x2, c), d = madd(x3, x3, d);
  }
  for (; left > 0; left--, x += stride) {
    const x0 = f32x4.sub(get<Lanes>(x), own);
    a = madd(x0, x0, a);
  }
  const squares = f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
  if (done == 0) {
    put<Lanes>(mean, own);
    put<Lanes>(mean + stride, squares);
    return;
  }
  const before = get<Lanes>(mean), apart = f32x4.sub(own, before);
  const share = f32x4.splat(<f32> count / <f32> (done + count));
  put<Lanes>(mean, madd(share, apart, before));
  const between = f32x4.mul(f32x4.mul(apart, apart), f32x4.mul(f32x4.splat(<f32> done), share));
  put<Lanes>(mean + stride, f32x4.add(f32x4.add(get<Lanes>(mean + stride), squares), between));
}

function normalise<Lanes>(x: usize, mean: usize, out: usize, count: i32, stride: usize, p: f32): void {
  const mu = get<Lanes>(mean), r = get<Lanes>(mean + stride), slope = f32x4.splat(p);
  for (; count > 0; count--, x += stride, out += stride) {
    const y = f32x4.mul(f32x4.sub(get<Lanes>(x), mu), r);
    put<Lanes>(out, sloped(y, y, slope));
  }
}

/** Adds Σ w and Σ (x − μ)w, w = D′v. */
function along<Lanes>(
  x: usize,
  v: usize,
  mean: usize,
  count: i32,
  stride: usize,
  p: f32,
  slot: usize,
): void {
  const mu = get<Lanes>(mean), slope = f32x4.splat(p);
  let a = f32x4.splat(0), b = a, c = a, d = a;
  for (; count >= 2; count -= 2) {
    const x0 = f32x4.sub(get<Lanes>(x), mu), w0 = sloped(get<Lanes>(v), x0, slope);
    x += stride, v += stride;
    const x1 = f32x4.sub(get<Lanes>(x), mu), w1 = sloped(get<Lanes>(v), x1, slope);
    x += stride, v += stride;
    a = f32x4.add(a, w0), b = f32x4.add(b, w1);
    c = madd(x0, w0, c), d = madd(x1, w1, d);
  }
  if (count > 0) {
    const x0 = f32x4.sub(get<Lanes>(x), mu), w0 = sloped(get<Lanes>(v), x0, slope);
    a = f32x4.add(a, w0);
    c = madd(x0, w0, c);
  }
  v128.store(slot, f32x4.add(v128.load(slot, SUM_V), f32x4.add(a, b)), SUM_V);
  v128.store(slot, f32x4.add(v128.load(slot, SUM_XV), f32x4.add(c, d)), SUM_XV);
}

function differentiate<Lanes>(
  x: usize,
  v: usize,
  mean: usize,
  out: usize,
  count: i32,
  stride: usize,
  p: f32,
  q: f32,
  slot: usize,
): void {
  const mu = get<Lanes>(mean), r = get<Lanes>(mean + stride);
  const inner = f32x4.splat(p), outer = f32x4.splat(q);
  const nu = v128.load(slot, SUM_V);
  // With x − μ = N(x)/r: N(x) ⟨N(x), w⟩/pixels = (x − μ)·r² mean (x − μ)w.
  const along = f32x4.neg(f32x4.mul(f32x4.mul(r, r), v128.load(slot, SUM_XV)));
  for (; count > 0; count--, x += stride, v += stride, out += stride) {
    const x0 = f32x4.sub(get<Lanes>(x), mu);
    const w0 = f32x4.sub(sloped(get<Lanes>(v), x0, inner), nu);
    put<Lanes>(out, sloped(f32x4.mul(r, madd(along, x0, w0)), x0, outer));
  }
}

/** Adds Σ D′v and Σ D″g. */
function add<Lanes>(
  x: usize,
  v: usize,
  g: usize,
  mean: usize,
  count: i32,
  stride: usize,
  p: f32,
  q: f32,
  slot: usize,
): void {
  const mu = get<Lanes>(mean), inner = f32x4.splat(p), outer = f32x4.splat(q);
  let a = f32x4.splat(0), b = a;
  for (; count > 0; count--, x += stride, v += stride, g += stride) {
    const x0 = f32x4.sub(get<Lanes>(x), mu);
    a = f32x4.add(a, sloped(get<Lanes>(v), x0, inner));
    b = f32x4.add(b, sloped(get<Lanes>(g), x0, outer));
  }
  v128.store(slot, f32x4.add(v128.load(slot, SUM_V), a), SUM_V);
  v128.store(slot, f32x4.add(v128.load(slot, SUM_G), b), SUM_G);
}

/** Adds Σ (x − μ)v′, Σ (x − μ)g′ and Σ v′g′. */
function correlate<Lanes>(
  x: usize,
  v: usize,
  g: usize,
  mean: usize,
  count: i32,
  stride: usize,
  p: f32,
  q: f32,
  slot: usize,
): void {
  const mu = get<Lanes>(mean), inner = f32x4.splat(p), outer = f32x4.splat(q);
  const nu = v128.load(slot, SUM_V), gamma = v128.load(slot, SUM_G);
  let xv = f32x4.splat(0), xg = xv, vg = xv;
  for (; count > 0; count--, x += stride, v += stride, g += stride) {
    const x0 = f32x4.sub(get<Lanes>(x), mu);
    const v0 = f32x4.sub(sloped(get<Lanes>(v), x0, inner), nu);
    const g0 = f32x4.sub(sloped(get<Lanes>(g), x0, outer), gamma);
    xv = madd(x0, v0, xv), xg = madd(x0, g0, xg), vg = madd(v0, g0, vg);
  }
  v128.store(slot, f32x4.add(v128.load(slot, SUM_XV), xv), SUM_XV);
  v128.store(slot, f32x4.add(v128.load(slot, SUM_XG), xg), SUM_XG);
  v128.store(slot, f32x4.add(v128.load(slot, SUM_VG), vg), SUM_VG);
}

function curve<Lanes>(
  x: usize,
  v: usize,
  g: usize,
  mean: usize,
  out: usize,
  count: i32,
  stride: usize,
  p: f32,
  q: f32,
  slot: usize,
): void {
  const mu = get<Lanes>(mean), r = get<Lanes>(mean + stride);
  const inner = f32x4.splat(p), outer = f32x4.splat(q);
  const nu = v128.load(slot, SUM_V), gamma = v128.load(slot, SUM_G);
  const P = f32x4.mul(r, v128.load(slot, SUM_XV));
  const Q = f32x4.mul(r, v128.load(slot, SUM_XG));
  const S = v128.load(slot, SUM_VG);
  const minusR2 = f32x4.neg(f32x4.mul(r, r));
  const ofV = f32x4.mul(minusR2, Q);
  const ofG = f32x4.mul(minusR2, P);
  const three = f32x4.mul(f32x4.splat(3), f32x4.mul(P, Q));
  const ofX = f32x4.mul(f32x4.mul(minusR2, r), f32x4.sub(S, three));
  for (; count > 0; count--, x += stride, v += stride, g += stride, out += stride) {
    const x0 = f32x4.sub(get<Lanes>(x), mu);
    const alongV = f32x4.mul(ofV, f32x4.sub(sloped(get<Lanes>(v), x0, inner), nu));
    const alongG = madd(ofG, f32x4.sub(sloped(get<Lanes>(g), x0, outer), gamma), alongV);
    put<Lanes>(out, madd(ofX, x0, alongG));
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
