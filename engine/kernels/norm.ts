// @ts-nocheck AssemblyScript: compiled by build.ts, not checked by Deno
/**
 * Instance normalisation y = (x − μ)·r, r = 1/√(σ² + ε), per sample and channel of `[batch, pixels, channels]`, with its
 * first and second derivative.
 *
 * Four neighbouring channels are a vector, so one walk over the pixels serves four channels; channels beyond a multiple
 * of four go one by one through the same code (`Lanes` is v128 or f32), so that a channel's bits do not depend on its
 * place. Statistics take two walks, mean first: a one-pass variance loses digits where |μ| ≫ σ. Four pixels at a time in
 * sums of their own hide the additions' latency; the order is fixed.
 */
import { madd } from "./shared/simd.ts";

/** out = N(x). */
export function instanceNorm(
  x: usize,
  out: usize,
  batch: i32,
  pixels: i32,
  channels: i32,
  epsilon: f32,
): void {
  const stride = <usize> channels << 2;
  for (let n = 0; n < batch; n++) {
    let c = 0;
    for (; c + 4 <= channels; c += 4) normalise<v128>(x + (c << 2), out + (c << 2), pixels, stride, epsilon);
    for (; c < channels; c++) normalise<f32>(x + (c << 2), out + (c << 2), pixels, stride, epsilon);
    x += pixels * stride;
    out += pixels * stride;
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
): void {
  const stride = <usize> channels << 2;
  for (let n = 0; n < batch; n++) {
    let c = 0;
    for (; c + 4 <= channels; c += 4) {
      differentiate<v128>(x + (c << 2), v + (c << 2), out + (c << 2), pixels, stride, epsilon);
    }
    for (; c < channels; c++) {
      differentiate<f32>(x + (c << 2), v + (c << 2), out + (c << 2), pixels, stride, epsilon);
    }
    x += pixels * stride;
    v += pixels * stride;
    out += pixels * stride;
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
): void {
  const stride = <usize> channels << 2;
  for (let n = 0; n < batch; n++) {
    let c = 0;
    for (; c + 4 <= channels; c += 4) {
      curve<v128>(x + (c << 2), v + (c << 2), g + (c << 2), out + (c << 2), pixels, stride, epsilon);
    }
    for (; c < channels; c++) {
      curve<f32>(x + (c << 2), v + (c << 2), g + (c << 2), out + (c << 2), pixels, stride, epsilon);
    }
    x += pixels * stride;
    v += pixels * stride;
    g += pixels * stride;
    out += pixels * stride;
  }
}

function get<Lanes>(at: usize): v128 {
  return sizeof<Lanes>() == 16 ? v128.load(at) : v128.load32_zero(at);
}

function put<Lanes>(at: usize, value: v128): void {
  if (sizeof<Lanes>() == 16) v128.store(at, value);
  else store<f32>(at, f32x4.extract_lane(value, 0));
}

function mean<Lanes>(x: usize, pixels: i32, stride: usize): v128 {
  let a = f32x4.splat(0), b = f32x4.splat(0), c = f32x4.splat(0), d = f32x4.splat(0);
  let left = pixels;
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
  return f32x4.div(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), f32x4.splat(<f32> pixels));
}

/** r = 1/√(σ² + ε) from the sum of squared deviations. */
function inverseDeviation(squares: v128, pixels: i32, epsilon: f32): v128 {
  const variance = f32x4.div(squares, f32x4.splat(<f32> pixels));
  return f32x4.div(f32x4.splat(1), f32x4.sqrt(f32x4.add(variance, f32x4.splat(epsilon))));
}

function normalise<Lanes>(x: usize, out: usize, pixels: i32, stride: usize, epsilon: f32): void {
  const mu = mean<Lanes>(x, pixels, stride);
  let a = f32x4.splat(0), b = f32x4.splat(0), c = f32x4.splat(0), d = f32x4.splat(0);
  let at = x;
  let left = pixels;
  for (; left >= 4; left -= 4) {
    const x0 = f32x4.sub(get<Lanes>(at), mu);
    at += stride;
    const x1 = f32x4.sub(get<Lanes>(at), mu);
    at += stride;
    const x2 = f32x4.sub(get<Lanes>(at), mu);
    at += stride;
    const x3 = f32x4.sub(get<Lanes>(at), mu);
    at += stride;
    a = madd(x0, x0, a);
    b = madd(x1, x1, b);
    c = madd(x2, x2, c);
    d = madd(x3, x3, d);
  }
  for (; left > 0; left--, at += stride) {
    const x0 = f32x4.sub(get<Lanes>(at), mu);
    a = madd(x0, x0, a);
  }
  const r = inverseDeviation(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), pixels, epsilon);
  const end = x + pixels * stride;
  for (; x < end; x += stride, out += stride) put<Lanes>(out, f32x4.mul(f32x4.sub(get<Lanes>(x), mu), r));
}

function differentiate<Lanes>(
  x: usize,
  v: usize,
  out: usize,
  pixels: i32,
  stride: usize,
  epsilon: f32,
): void {
  const mu = mean<Lanes>(x, pixels, stride);
  const nu = mean<Lanes>(v, pixels, stride);
  let squares0 = f32x4.splat(0), squares1 = f32x4.splat(0), along0 = f32x4.splat(0), along1 = f32x4.splat(0);
  let p = x, q = v;
  let left = pixels;
  for (; left >= 2; left -= 2) {
    const x0 = f32x4.sub(get<Lanes>(p), mu);
    p += stride;
    const x1 = f32x4.sub(get<Lanes>(p), mu);
    p += stride;
    squares0 = madd(x0, x0, squares0);
    squares1 = madd(x1, x1, squares1);
    along0 = madd(x0, f32x4.sub(get<Lanes>(q), nu), along0);
    q += stride;
    along1 = madd(x1, f32x4.sub(get<Lanes>(q), nu), along1);
    q += stride;
  }
  if (left > 0) {
    const x0 = f32x4.sub(get<Lanes>(p), mu);
    squares0 = madd(x0, x0, squares0);
    along0 = madd(x0, f32x4.sub(get<Lanes>(q), nu), along0);
  }
  const r = inverseDeviation(f32x4.add(squares0, squares1), pixels, epsilon);
  // With x − μ = y/r: y ⟨y, v⟩/pixels = (x − μ)·r² ⟨x − μ, v − ν⟩/pixels.
  const share = f32x4.div(f32x4.add(along0, along1), f32x4.splat(<f32> pixels));
  const slope = f32x4.neg(f32x4.mul(f32x4.mul(r, r), share));
  const end = x + pixels * stride;
  for (; x < end; x += stride, v += stride, out += stride) {
    const centred = f32x4.sub(get<Lanes>(v), nu);
    put<Lanes>(out, f32x4.mul(r, madd(slope, f32x4.sub(get<Lanes>(x), mu), centred)));
  }
}

function curve<Lanes>(
  x: usize,
  v: usize,
  g: usize,
  out: usize,
  pixels: i32,
  stride: usize,
  epsilon: f32,
): void {
  const mu = mean<Lanes>(x, pixels, stride);
  const nu = mean<Lanes>(v, pixels, stride);
  const gamma = mean<Lanes>(g, pixels, stride);
  let squares = f32x4.splat(0), sumP = f32x4.splat(0), sumQ = f32x4.splat(0), sumS = f32x4.splat(0);
  let at = x, q = v, s = g;
  const end = x + pixels * stride;
  for (; at < end; at += stride, q += stride, s += stride) {
    const centred = f32x4.sub(get<Lanes>(at), mu);
    const v0 = f32x4.sub(get<Lanes>(q), nu);
    const g0 = f32x4.sub(get<Lanes>(s), gamma);
    squares = madd(centred, centred, squares);
    sumP = madd(v0, centred, sumP);
    sumQ = madd(g0, centred, sumQ);
    sumS = madd(v0, g0, sumS);
  }
  const r = inverseDeviation(squares, pixels, epsilon);
  const count = f32x4.splat(<f32> pixels);
  const P = f32x4.mul(r, f32x4.div(sumP, count));
  const Q = f32x4.mul(r, f32x4.div(sumQ, count));
  const S = f32x4.div(sumS, count);
  const minusR2 = f32x4.neg(f32x4.mul(r, r));
  const ofV = f32x4.mul(minusR2, Q);
  const ofG = f32x4.mul(minusR2, P);
  const three = f32x4.mul(f32x4.splat(3), f32x4.mul(P, Q));
  const ofX = f32x4.mul(f32x4.mul(minusR2, r), f32x4.sub(S, three));
  for (; x < end; x += stride, v += stride, g += stride, out += stride) {
    const alongV = f32x4.mul(ofV, f32x4.sub(get<Lanes>(v), nu));
    const alongG = madd(ofG, f32x4.sub(get<Lanes>(g), gamma), alongV);
    put<Lanes>(out, madd(ofX, f32x4.sub(get<Lanes>(x), mu), alongG));
  }
}
