/**
 * Sinkhorn's iterations between all pairs of pixels, with logarithms and in double precision: what the losses
 * are held to on small images. It shares no code with them.
 */

/** An image's masses, whose sum is 1, row by row. */
export type Masses = readonly number[];

/** The cost of moving a unit of mass by these numbers of pixels. */
export type Cost = (down: number, right: number) => number;

/** The cost of the loss by distance². */
export const squaredCost = (reach: number): Cost => (down, right) => (down ** 2 + right ** 2) / reach ** 2;

/** The cost that was published. */
export const quarticCost = (reach: number): Cost => (down, right) =>
  1 - Math.exp(-((down ** 2 + right ** 2) ** 2) / reach ** 4);

/**
 * Values as masses: those below 0 left out, `floor` times the label's mean added to each, divided by their
 * sum.
 */
export function masses(image: readonly number[], label: readonly number[], floor: number): Masses {
  const kept = (values: readonly number[]) => values.map((value) => Math.max(0, value));
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  const added = kept(image).map((value) => value + floor * sum(kept(label)) / label.length);
  return added.map((value) => value / sum(added));
}

/**
 * After the iterations: the dual problem's value ⟨α, p⟩ + ⟨β, q⟩ − ε, and the plan's cost.
 */
export function transport(
  p: Masses,
  q: Masses,
  width: number,
  cost: Cost,
  epsilon: number,
  iterations: number,
): { readonly dual: number; readonly cost: number } {
  const size = p.length;
  const costs = Array.from(
    { length: size },
    (_, i) =>
      Float64Array.from(
        { length: size },
        (_, j) => cost(Math.floor(i / width) - Math.floor(j / width), i % width - j % width),
      ),
  );
  const lnK = costs.map((row) => row.map((value) => -value / epsilon));
  const lnU = new Float64Array(size), lnV = new Float64Array(size);
  for (let iteration = 0; iteration < iterations; iteration++) {
    for (let i = 0; i < size; i++) lnU[i] = Math.log(p[i]) - lnSum(lnK[i], lnV);
    // The cost is symmetric.
    for (let j = 0; j < size; j++) lnV[j] = Math.log(q[j]) - lnSum(lnK[j], lnU);
  }
  let moved = 0;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) moved += costs[i][j] * Math.exp(lnU[i] + lnK[i][j] + lnV[j]);
  }
  const dot = (a: Masses, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  return { dual: epsilon * (dot(p, lnU) + dot(q, lnV) - 1), cost: moved };
}

/** ln Σ e^(a + b). */
function lnSum(a: Float64Array, b: Float64Array): number {
  let largest = -Infinity;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, a[i] + b[i]);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.exp(a[i] + b[i] - largest);
  return largest + Math.log(sum);
}
