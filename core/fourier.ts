/**
 * The centred orthonormal Fourier transform of any length, in double precision.
 *
 * Powers of two go to fft.js; other lengths are written as a convolution that does (L. I. Bluestein, "A linear
 * filtering approach to the computation of discrete Fourier transform", IEEE Trans. Audio Electroacoust. 18, 1970).
 * Networks never see these transforms: they bring files to a size and score images, so that exactness counts before speed.
 */

import FFT from "fft.js";

/** Complex numbers, real and imaginary part in turn. */
export type Complex = Float64Array;

/**
 * One length's transform: K[k] = N^(−1/2) Σ_n x[n] exp(∓2πi (k − c)(n − c) / N) with c = ⌊N/2⌋, in place, the upper
 * sign forward. The lowest frequency is at index c, and so is the centre of the image.
 */
export type Transform = (line: Complex, inverse: boolean) => void;

const transforms = new Map<number, Transform>();

/** The transform of lines of `length` complex numbers. Its buffers are reused from call to call. */
export function transformOf(length: number): Transform {
  if (!Number.isInteger(length) || length < 1) throw new RangeError(`no transform has length ${length}`);
  let transform = transforms.get(length);
  if (transform === undefined) {
    const plain = Number.isInteger(Math.log2(length)) && length > 1 ? powerOfTwo(length) : bluestein(length);
    transform = centred(length, plain);
    transforms.set(length, transform);
  }
  return transform;
}

/** Transforms an array of complex numbers along all its axes, in place; `shape` is its own, without the two parts. */
export function transformAxes(values: Complex, shape: readonly number[], inverse: boolean): void {
  let step = values.length / 2;
  for (const extent of shape) {
    step /= extent;
    if (extent === 1) continue;
    const transform = transformOf(extent);
    const line = new Float64Array(2 * extent);
    for (let start = 0; start < values.length / 2; start += extent * step) {
      for (let offset = 0; offset < step; offset++) {
        if (step === 1) {
          transform(values.subarray(2 * start, 2 * (start + extent)), inverse);
          continue;
        }
        for (let i = 0, at = 2 * (start + offset); i < extent; i++, at += 2 * step) {
          line[2 * i] = values[at];
          line[2 * i + 1] = values[at + 1];
        }
        transform(line, inverse);
        for (let i = 0, at = 2 * (start + offset); i < extent; i++, at += 2 * step) {
          values[at] = line[2 * i];
          values[at + 1] = line[2 * i + 1];
        }
      }
    }
  }
}

/** A transform with the origin at index 0 and without normalisation, from `line` to `line`, forward only. */
type Plain = (line: Complex) => void;

function powerOfTwo(length: number): Plain {
  const fft = new FFT(length);
  const output = new Float64Array(2 * length);
  return (line) => {
    fft.transform(output as unknown as number[], line as unknown as number[]);
    line.set(output);
  };
}

function bluestein(length: number): Plain {
  // nk = (n² + k² − (k − n)²) / 2 turns the sum into a convolution with exp(iπ m² / N).
  const chirp = new Float64Array(2 * length);
  for (let n = 0; n < length; n++) {
    // n² mod 2N keeps the angle exact for long lines.
    const angle = Math.PI * ((n * n) % (2 * length)) / length;
    chirp[2 * n] = Math.cos(angle);
    chirp[2 * n + 1] = -Math.sin(angle);
  }
  const padded = Math.max(2, 2 ** Math.ceil(Math.log2(2 * length - 1)));
  const fft = new FFT(padded);
  const work = new Float64Array(2 * padded);
  const spectrum = new Float64Array(2 * padded);
  const kernel = new Float64Array(2 * padded);
  for (let n = 0; n < length; n++) {
    for (const at of n === 0 ? [0] : [n, padded - n]) {
      work[2 * at] = chirp[2 * n];
      work[2 * at + 1] = -chirp[2 * n + 1];
    }
  }
  fft.transform(kernel as unknown as number[], work as unknown as number[]);

  return (line) => {
    work.fill(0);
    for (let n = 0; n < length; n++) times(work, n, line, n, chirp, n);
    fft.transform(spectrum as unknown as number[], work as unknown as number[]);
    for (let k = 0; k < padded; k++) times(spectrum, k, spectrum, k, kernel, k);
    fft.inverseTransform(work as unknown as number[], spectrum as unknown as number[]);
    for (let k = 0; k < length; k++) times(line, k, work, k, chirp, k);
  };
}

/** to[i] = a[j]·b[k] */
function times(to: Complex, i: number, a: Complex, j: number, b: Complex, k: number): void {
  const real = a[2 * j] * b[2 * k] - a[2 * j + 1] * b[2 * k + 1];
  const imaginary = a[2 * j] * b[2 * k + 1] + a[2 * j + 1] * b[2 * k];
  to[2 * i] = real;
  to[2 * i + 1] = imaginary;
}

function centred(length: number, plain: Plain): Transform {
  const centre = Math.floor(length / 2);
  const shifted = new Float64Array(2 * length);
  const norm = 1 / Math.sqrt(length);
  return (line, inverse) => {
    // The inverse is the conjugate of the transform of the conjugate.
    const sign = inverse ? -1 : 1;
    for (let n = 0; n < length; n++) {
      const from = 2 * ((n + centre) % length);
      shifted[2 * n] = line[from];
      shifted[2 * n + 1] = sign * line[from + 1];
    }
    plain(shifted);
    for (let k = 0; k < length; k++) {
      const to = 2 * ((k + centre) % length);
      line[to] = norm * shifted[2 * k];
      line[to + 1] = sign * norm * shifted[2 * k + 1];
    }
  };
}
