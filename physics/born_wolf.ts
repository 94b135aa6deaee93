/**
 * The point spread function of a widefield microscope after Born and Wolf: a scalar wave, a thin lens, no layers between
 * (M. Born & E. Wolf, Principles of Optics, 7th ed., §8.8; in the form of H. Kirshner et al., J. Microscopy 249, 2013):
 *
 *     h(r, z) = |2 ∫₀¹ J₀(k NA r ρ) exp(−i k NA² z ρ² / 2n) ρ dρ|²,  k = 2π / λ,
 *
 * which is 1 at the focus. In the focal plane it is Airy's pattern (2 J₁(v) / v)² with v = k NA r, and on the axis
 * (sin(u/4) / (u/4))² with u = k NA² z / n.
 */

import { explain } from "../core/errors.ts";
import { type Image, sizeOf } from "../core/image.ts";

/** A microscope's optics. */
export interface Optics {
  /** Numerical aperture. */
  readonly na: number;
  /** Of the immersion; not below the aperture. */
  readonly refractiveIndex: number;
  /** Of the emitted light, in vacuum. */
  readonly wavelengthNm: number;
}

/**
 * The intensity at distances `rNm` from the axis and `zNm` from the focus, `[z][r]`, 1 at the focus; to about 1e-12.
 *
 * @throws {RangeError} for optics that cannot be.
 */
export function bornWolf(
  { na, refractiveIndex, wavelengthNm }: Optics,
  rNm: readonly number[],
  zNm: readonly number[],
): Float64Array[] {
  for (const [name, value] of Object.entries({ na, refractiveIndex, wavelengthNm })) {
    if (!(value > 0 && Number.isFinite(value))) {
      throw new RangeError(
        explain({ what: `${name} ${value}`, where: "bornWolf()", fix: "give a positive number" }),
      );
    }
  }
  if (na > refractiveIndex) {
    throw new RangeError(explain({
      what: `a numerical aperture of ${na} in an immersion of index ${refractiveIndex}`,
      where: "bornWolf()",
      fix: "give an aperture below the index",
    }));
  }
  const k = 2 * Math.PI / wavelengthNm;
  const radii = rNm.map((r) => k * na * Math.abs(r));
  const phases = zNm.map((z) => k * na ** 2 * Math.abs(z) / (2 * refractiveIndex));
  // With t = ρ² the integrand is entire, of about (v + u) / 2π periods.
  const { nodes, weights } = gauss(Math.ceil((Math.max(0, ...radii) + Math.max(0, ...phases)) / 2) + 24);
  const bessel = radii.map((v) => nodes.map((t) => besselJ0(v * Math.sqrt(t))));
  return phases.map((phase) => {
    const [cosines, sines] = [nodes.map((t) => Math.cos(phase * t)), nodes.map((t) => Math.sin(phase * t))];
    return Float64Array.from(bessel, (values) => {
      let [re, im] = [0, 0];
      for (let i = 0; i < values.length; i++) {
        re += weights[i] * values[i] * cosines[i];
        im += weights[i] * values[i] * sines[i];
      }
      return re * re + im * im;
    });
  });
}

/** How a kernel samples the function. */
export interface KernelGrid {
  /** Pixels along each side, odd, so that the axis goes through the middle of one. */
  readonly side: number;
  readonly pixelNm: number;
}

/**
 * A kernel `[side, side, 1]` of sum 1: the function at the pixels' centres, averaged over the distances `zNm` from the focus
 * (0 alone: the focal plane).
 *
 * @throws {RangeError} where the side is even or the optics cannot be.
 */
export function bornWolfKernel(
  optics: Optics,
  { side, pixelNm }: KernelGrid,
  zNm: readonly number[] = [0],
): Image {
  const planes = planesOf(optics, side, pixelNm, zNm);
  const data = new Float64Array(side * side);
  for (const plane of planes) plane.forEach((value, i) => data[i] += value);
  return normalised([side, side, 1], data);
}

/**
 * A kernel `[depth, side, side, 1]` of sum 1, its planes `stepNm` apart and the focus in the middle one.
 *
 * @throws {RangeError} where a size is even or the optics cannot be.
 */
export function bornWolfVolume(
  optics: Optics,
  { side, pixelNm, depth, stepNm }: KernelGrid & { readonly depth: number; readonly stepNm: number },
): Image {
  requireOdd("depth", depth);
  const zNm = Array.from({ length: depth }, (_, i) => (i - (depth - 1) / 2) * stepNm);
  const data = new Float64Array(depth * side * side);
  planesOf(optics, side, pixelNm, zNm).forEach((plane, i) => data.set(plane, i * side * side));
  return normalised([depth, side, side, 1], data);
}

function planesOf(optics: Optics, side: number, pixelNm: number, zNm: readonly number[]): Float64Array[] {
  requireOdd("side", side);
  const centre = (side - 1) / 2;
  const square = (i: number) => (i % side - centre) ** 2 + (Math.floor(i / side) - centre) ** 2;
  // Pixels as far from the axis share a value.
  const squares = [...new Set(Array.from({ length: side * side }, (_, i) => square(i)))];
  const place = new Map(squares.map((value, at) => [value, at]));
  return bornWolf(optics, squares.map((value) => Math.sqrt(value) * pixelNm), zNm)
    .map((values) => Float64Array.from({ length: side * side }, (_, i) => values[place.get(square(i))!]));
}

function normalised(shape: readonly number[], values: Float64Array): Image {
  const sum = values.reduce((total, value) => total + value, 0);
  const data = new Float32Array(sizeOf(shape));
  values.forEach((value, i) => data[i] = value / sum);
  return { shape, data };
}

function requireOdd(name: string, value: number): void {
  if (Number.isInteger(value) && value >= 1 && value % 2 === 1) return;
  throw new RangeError(explain({
    what: `a kernel's ${name} of ${value} pixels has no middle`,
    where: "bornWolfKernel()",
    fix: "give an odd number",
  }));
}

/**
 * J₀(x), x ≥ 0, by the mean of cos(x sin θ) over the circle. So many evenly spaced angles err by about 2 J₂ₙ(x), of n
 * angles, and an order 12 ∛(x/2) beyond x leaves less than 1e-13 of it (it falls as Airy's function does).
 */
export function besselJ0(x: number): number {
  const count = Math.ceil(x / 2 + 6 * Math.cbrt(x / 2)) + 16;
  let sum = 0;
  for (let i = 0; i < count; i++) sum += Math.cos(x * Math.sin(Math.PI * (i + 0.5) / count));
  return sum / count;
}

/** Gauss and Legendre's nodes and weights on [0, 1], by Newton's method. */
function gauss(count: number): { nodes: number[]; weights: number[] } {
  const [nodes, weights]: number[][] = [[], []];
  for (let i = 0; i < count; i++) {
    let x = Math.cos(Math.PI * (i + 0.75) / (count + 0.5));
    let derivative = 1;
    for (let step = 0; step < 100; step++) {
      let [before, value] = [1, x];
      for (let n = 2; n <= count; n++) {
        [before, value] = [value, ((2 * n - 1) * x * value - (n - 1) * before) / n];
      }
      derivative = count * (x * value - before) / (x * x - 1);
      const move = value / derivative;
      x -= move;
      if (Math.abs(move) < 1e-15) break;
    }
    nodes.push((1 - x) / 2);
    weights.push(1 / ((1 - x * x) * derivative ** 2));
  }
  return { nodes, weights };
}
