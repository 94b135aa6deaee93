/** A frame as emitters that overlap on a constant background, and the way to make them likelier all together. */

import { type Frame, leastExpected, Profile, type Spots } from "./spot.ts";

interface Spot {
  x: number;
  y: number;
  light: number;
}

// In camera pixels: the longest step of a position.
const longestStep = 0.25;
// Of one spot alone; all others move, too.
const damping = 0.1;
// A spot loses at most so much of its light in a step.
const leastLeft = 0.2;

/** Emitters of a frame, and what they make expect of every pixel. */
export class SpotModel {
  #spots: Spot[] = [];
  readonly #across: Profile;
  readonly #down: Profile;

  /** The expected counts, pixel by pixel. */
  readonly expected: Float64Array;

  /** A frame without emitters, for spots of `sigma` camera pixels. */
  constructor(readonly frame: Frame, readonly sigma: number, public background: number) {
    const reach = Math.ceil(3.5 * sigma);
    [this.#across, this.#down] = [new Profile(sigma, reach), new Profile(sigma, reach)];
    this.expected = new Float64Array(frame.data.length).fill(background);
  }

  /** The emitters. */
  get spots(): Spots {
    const of = (name: keyof Spot) => Float64Array.from(this.#spots, (spot) => spot[name]);
    return { x: of("x"), y: of("y"), light: of("light") };
  }

  /** Adds emitters. */
  add({ x, y, light }: Spots): void {
    x.forEach((_, i) => {
      const spot = { x: x[i], y: y[i], light: light[i] };
      this.#spots.push(spot);
      this.#shine(spot, spot.light);
    });
  }

  /**
   * Moves each emitter in turn by one of Fisher's steps in position and light, the others held, and then the background: the
   * gradient of Poisson's likelihood over the information that is expected.
   */
  sweep(): void {
    for (const spot of this.#spots) this.#improve(spot);
    const { expected, frame: { data } } = this;
    let [pull, information] = [0, 0];
    for (let i = 0; i < data.length; i++) {
      const mean = Math.max(leastExpected, expected[i]);
      pull += data[i] / mean - 1;
      information += 1 / mean;
    }
    const next = Math.max(leastExpected, this.background + pull / information);
    for (let i = 0; i < data.length; i++) expected[i] += next - this.background;
    this.background = next;
  }

  /**
   * Makes one of emitters that are closer than `distance` camera pixels, at their centre of light, and leaves out whose light
   * is less than `least` of the standard deviations that it would have if all else were known.
   */
  prune(distance: number, least: number): void {
    const joined: Spot[] = [];
    for (const { x, y, light } of this.#spots) {
      const near = joined.find((other) => Math.hypot(other.x - x, other.y - y) < distance);
      if (near === undefined) joined.push({ x, y, light });
      else {
        const total = near.light + light;
        near.x = (near.light * near.x + light * x) / total;
        near.y = (near.light * near.y + light * y) / total;
        near.light = total;
      }
    }
    this.#spots = joined.filter((spot) => spot.light * Math.sqrt(this.#information(spot)) > least);
    // Made anew, rounding does not add up over hundreds of changes.
    this.expected.fill(this.background);
    for (const spot of this.#spots) this.#shine(spot, spot.light);
  }

  /** The pixels of the frame within reach of a spot, as rows and columns of the profiles. */
  #reach({ x, y }: Spot): { top: number; bottom: number; left: number; right: number; first: number } {
    const { height, width } = this.frame;
    const [across, down] = [this.#across.moveTo(x), this.#down.moveTo(y)];
    return {
      top: Math.max(0, -down.first),
      bottom: Math.min(down.share.length, height - down.first),
      left: Math.max(0, -across.first),
      right: Math.min(across.share.length, width - across.first),
      first: down.first * width + across.first,
    };
  }

  #shine(spot: Spot, light: number, { top, bottom, left, right, first } = this.#reach(spot)): void {
    const [across, down] = [this.#across.share, this.#down.share];
    for (let r = top; r < bottom; r++) {
      const row = first + r * this.frame.width;
      for (let c = left; c < right; c++) this.expected[row + c] += light * down[r] * across[c];
    }
  }

  #information(spot: Spot): number {
    const { top, bottom, left, right, first } = this.#reach(spot);
    const [across, down] = [this.#across.share, this.#down.share];
    let sum = 0;
    for (let r = top; r < bottom; r++) {
      const row = first + r * this.frame.width;
      for (let c = left; c < right; c++) {
        sum += (down[r] * across[c]) ** 2 / Math.max(leastExpected, this.expected[row + c]);
      }
    }
    return sum;
  }

  #improve(spot: Spot): void {
    const { expected, frame: { width, data } } = this;
    const reach = this.#reach(spot);
    const { top, bottom, left, right, first } = reach;
    const [across, down] = [this.#across, this.#down];
    // Gradient and information; positions are counted in units of the light, so that its own scale drops out.
    let [gx, gy, gn, xx, yy, nn, xy, xn, yn] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
    for (let r = top; r < bottom; r++) {
      const row = first + r * width;
      const [share, slope] = [down.share[r], down.slope[r]];
      for (let c = left; c < right; c++) {
        const inverse = 1 / Math.max(leastExpected, expected[row + c]);
        const pull = data[row + c] * inverse - 1;
        const dx = across.slope[c] * share;
        const dy = across.share[c] * slope;
        const dn = across.share[c] * share;
        gx += pull * dx, gy += pull * dy, gn += pull * dn;
        xx += dx * dx * inverse, yy += dy * dy * inverse, nn += dn * dn * inverse;
        xy += dx * dy * inverse, xn += dx * dn * inverse, yn += dy * dn * inverse;
      }
    }
    this.#shine(spot, -spot.light, reach);
    const [mx, my, mn] = solved3([xx, yy, nn, xy, xn, yn], [gx, gy, gn]);
    const [stepX, stepY] = [mx / spot.light, my / spot.light];
    const shorter = Math.min(1, longestStep / Math.hypot(stepX, stepY));
    if (shorter > 0) {
      spot.x += shorter * stepX;
      spot.y += shorter * stepY;
    }
    spot.light = Math.max(spot.light + mn, leastLeft * spot.light);
    this.#shine(spot, spot.light);
  }
}

/** The damped solution of a symmetric 3x3 system by Cramer's rule; zeros and a step in the last one where it has none. */
function solved3(
  [xx, yy, nn, xy, xn, yn]: readonly number[],
  [gx, gy, gn]: readonly number[],
): readonly [number, number, number] {
  const [a, b, c] = [xx * (1 + damping), yy * (1 + damping), nn * (1 + damping)];
  const [bc, ac, ab] = [b * c - yn * yn, xy * c - yn * xn, xy * yn - b * xn];
  const determinant = a * bc - xy * ac + xn * ab;
  if (!(determinant > 1e-12 * a * b * c)) return [0, 0, c > 0 ? gn / c : 0];
  return [
    (gx * bc - gy * ac + gn * ab) / determinant,
    (-gx * ac + gy * (a * c - xn * xn) - gn * (a * yn - xy * xn)) / determinant,
    (gx * ab - gy * (a * yn - xy * xn) + gn * (a * b - xy * xy)) / determinant,
  ];
}
