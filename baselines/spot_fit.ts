/**
 * Where an emitter is, by maximum likelihood: a pixel-integrated Gaussian of known width over a constant background is fitted
 * to the counts of a window, which are Poisson's (C. S. Smith et al., Nature Methods 7, 2010; R. J. Ober, S. Ram & E. S.
 * Ward, Biophys. J. 86, 2004, for the bound).
 */

import { type Frame, Profile } from "./spot.ts";

/** An emitter as a fit found it. */
export interface SpotFit {
  /** In camera pixels from the outer corner of the first. */
  readonly x: number;
  /** As x. */
  readonly y: number;
  /** Counts of the emitter, those outside the window included. */
  readonly light: number;
  /** Counts of background in each pixel. */
  readonly background: number;
  /** The least standard deviations that any unbiased fit could have, by Cramér and Rao. */
  readonly deviation: { readonly x: number; readonly y: number; readonly light: number };
  /**
   * How ill the model fits: the deviance, as standard deviations above what it is on average where the model is true
   * (E. B. Wilson & M. M. Hilferty's cube root of χ²).
   */
  readonly misfit: number;
}

// x, y, light, background.
const parameters = 4;
const mostSteps = 50;
// In pixels, of the position: a thousandth of what any fit can tell.
const closeEnough = 1e-5;

/**
 * Fits one emitter to the window of `2 radius + 1` pixels square around a start, as far as the frame goes.
 *
 * Steps are Fisher's: the gradient over the expected information, damped where they would not raise the likelihood
 * (Levenberg and Marquardt).
 *
 * @returns undefined where no emitter is there: its light fades, or it leaves the window.
 */
export function fitSpot(
  frame: Frame,
  start: { readonly x: number; readonly y: number },
  sigma: number,
  radius: number,
): SpotFit | undefined {
  const window = windowAround(frame, start, radius);
  const { top, left, rows, columns, counts } = window;
  const [across, down] = [columns, rows].map((extent) => new Profile(sigma, Math.ceil((extent - 1) / 2)));
  let theta = firstGuess(window, start, sigma);
  let current = likelihood(window, theta, across, down);
  let damping = 1e-3;
  for (let step = 0; step < mostSteps; step++) {
    const move = solved(current.information, current.gradient, damping);
    if (move === undefined) return undefined;
    const next = theta.map((value, i) => value + move[i]);
    // Light and background stay positive: a step goes at most nine tenths of the way.
    for (const i of [2, 3]) next[i] = Math.max(next[i], 0.1 * theta[i]);
    const tried = likelihood(window, next, across, down);
    if (!(tried.value >= current.value)) {
      damping *= 10;
      if (damping > 1e8) break;
      continue;
    }
    const moved = Math.max(Math.abs(next[0] - theta[0]), Math.abs(next[1] - theta[1]));
    [theta, current] = [next, tried];
    damping = Math.max(1e-9, damping / 10);
    if (moved < closeEnough) break;
  }
  const [x, y, light, background] = theta;
  if (x < left || x > left + columns || y < top || y > top + rows) return undefined;
  const deviations = standardDeviations(current.information);
  if (deviations === undefined || !(light > 2 * deviations[2])) return undefined;
  return {
    x,
    y,
    light,
    background,
    deviation: { x: deviations[0], y: deviations[1], light: deviations[2] },
    misfit: misfitOf(current.deviance, counts.length - parameters),
  };
}

interface Window {
  readonly top: number;
  readonly left: number;
  readonly rows: number;
  readonly columns: number;
  readonly counts: Float64Array;
}

function windowAround(
  { height, width, data }: Frame,
  { x, y }: { readonly x: number; readonly y: number },
  radius: number,
): Window {
  const range = (centre: number, extent: number) => {
    const from = Math.max(0, Math.floor(centre) - radius);
    return { from, count: Math.min(extent, Math.floor(centre) + radius + 1) - from };
  };
  const [vertical, horizontal] = [range(y, height), range(x, width)];
  const counts = new Float64Array(vertical.count * horizontal.count);
  for (let r = 0; r < vertical.count; r++) {
    const at = (vertical.from + r) * width + horizontal.from;
    counts.set(data.subarray(at, at + horizontal.count), r * horizontal.count);
  }
  return {
    top: vertical.from,
    left: horizontal.from,
    rows: vertical.count,
    columns: horizontal.count,
    counts,
  };
}

function firstGuess(
  { counts }: Window,
  { x, y }: { readonly x: number; readonly y: number },
  sigma: number,
): number[] {
  const sorted = counts.toSorted();
  const background = Math.max(0.1, sorted[sorted.length >> 2]);
  const peak = Math.max(sorted.at(-1)! - background, 1);
  return [x, y, peak * (2 * Math.PI * sigma ** 2 + 1), background];
}

interface Likelihood {
  /** log L, but for what the parameters do not change. */
  readonly value: number;
  /** 2 (log L of a perfect model − log L). */
  readonly deviance: number;
  readonly gradient: Float64Array;
  /** Fisher's, parameters x parameters. */
  readonly information: Float64Array;
}

function likelihood(
  { top, left, rows, columns, counts }: Window,
  [x, y, light, background]: readonly number[],
  across: Profile,
  down: Profile,
): Likelihood {
  across.moveTo(x, left);
  down.moveTo(y, top);
  let [value, deviance] = [0, 0];
  const gradient = new Float64Array(parameters);
  const information = new Float64Array(parameters * parameters);
  const slope = new Float64Array(parameters);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      slope[0] = light * across.slope[c] * down.share[r];
      slope[1] = light * across.share[c] * down.slope[r];
      slope[2] = across.share[c] * down.share[r];
      slope[3] = 1;
      const expected = light * slope[2] + background;
      const count = counts[r * columns + c];
      const logarithm = Math.log(expected);
      value += count * logarithm - expected;
      deviance += 2 * (expected - count + (count > 0 ? count * (Math.log(count) - logarithm) : 0));
      const pull = count / expected - 1;
      for (let i = 0; i < parameters; i++) {
        gradient[i] += pull * slope[i];
        for (let j = 0; j <= i; j++) information[i * parameters + j] += slope[i] * slope[j] / expected;
      }
    }
  }
  for (let i = 0; i < parameters; i++) {
    for (let j = i + 1; j < parameters; j++) {
      information[i * parameters + j] = information[j * parameters + i];
    }
  }
  return { value, deviance, gradient, information };
}

/** (M + damping · diag M)⁻¹ v by Cholesky's factors; undefined where M is not positive. */
function solved(matrix: Float64Array, vector: Float64Array, damping: number): Float64Array | undefined {
  const n = vector.length;
  const factor = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i * n + j] * (i === j ? 1 + damping : 1);
      for (let k = 0; k < j; k++) sum -= factor[i * n + k] * factor[j * n + k];
      if (i !== j) factor[i * n + j] = sum / factor[j * n + j];
      else if (sum > 0) factor[i * n + i] = Math.sqrt(sum);
      else return undefined;
    }
  }
  const solution = vector.slice();
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) solution[i] -= factor[i * n + k] * solution[k];
    solution[i] /= factor[i * n + i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) solution[i] -= factor[k * n + i] * solution[k];
    solution[i] /= factor[i * n + i];
  }
  return solution;
}

/** The square roots of the inverse's diagonal. */
function standardDeviations(information: Float64Array): number[] | undefined {
  const deviations: number[] = [];
  for (let i = 0; i < parameters; i++) {
    const column = solved(information, Float64Array.from({ length: parameters }, (_, j) => +(i === j)), 0);
    if (column === undefined) return undefined;
    deviations.push(Math.sqrt(column[i]));
  }
  return deviations;
}

function misfitOf(deviance: number, freedom: number): number {
  const spread = 2 / (9 * freedom);
  return (Math.cbrt(deviance / freedom) - (1 - spread)) / Math.sqrt(spread);
}
