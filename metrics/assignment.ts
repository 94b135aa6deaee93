/**
 * The optimal assignment of two sets of points in a plane, within a tolerance.
 *
 * Of all ways to pair them it is the one with the least sum of distances, where a point of the first set without a partner
 * counts as far as the tolerance: Σ min(d, tolerance), the distance of D. Schuhmacher et al., IEEE Trans. Signal Process. 56,
 * 2008, of order 1. It neither takes the nearest point first nor counts pairs before it looks how far apart they are.
 *
 * Only points within the tolerance can meet, which a k-d tree finds; the shortest augmenting paths (R. Jonker & A. Volgenant,
 * Computing 38, 1987) then run over those few pairs and end where leaving a point alone is nearer. Matrices of all pairs,
 * which ready-made solvers want, would have 10⁸ entries for 10⁴ points.
 */

import FlatQueue from "flatqueue";
import KDBush from "kdbush";
import { explain } from "../core/errors.ts";
import type { Points } from "../core/points.ts";

/** Pairs of points that belong together, in the order of the first set. */
export interface Assignment {
  /** Indices into the first set. */
  readonly first: Int32Array;
  /** Their partners in the second. */
  readonly second: Int32Array;
  /** How far apart they are, in nm. */
  readonly distanceNm: Float64Array;
}

/**
 * Pairs the points of two sets, each at most once.
 *
 * @throws {RangeError} where the tolerance is not positive or a coordinate not finite.
 */
export function assignPoints(first: Points, second: Points, toleranceNm: number): Assignment {
  requireInput(first, second, toleranceNm);
  const near = pairsWithin(first, second, toleranceNm);
  const partners = cheapest(near, second.xNm.length, toleranceNm);
  const paired = Int32Array.from(partners.keys()).filter((i) => partners[i] >= 0);
  return {
    first: paired,
    second: Int32Array.from(paired, (i) => partners[i]),
    distanceNm: Float64Array.from(
      paired,
      (i) => Math.hypot(first.xNm[i] - second.xNm[partners[i]], first.yNm[i] - second.yNm[partners[i]]),
    ),
  };
}

/** Which points are near each other: row i has the columns `to[starts[i]]` to `to[starts[i + 1] − 1]`. */
interface NearPairs {
  readonly starts: Int32Array;
  readonly to: Int32Array;
  readonly cost: Float64Array;
}

function pairsWithin(first: Points, second: Points, toleranceNm: number): NearPairs {
  const count = first.xNm.length;
  const starts = new Int32Array(count + 1);
  if (second.xNm.length === 0) return { starts, to: new Int32Array(), cost: new Float64Array() };
  const tree = new KDBush(second.xNm.length, 64, Float64Array);
  second.xNm.forEach((x, i) => tree.add(x, second.yNm[i]));
  tree.finish();
  const to: number[] = [];
  const cost: number[] = [];
  for (let i = 0; i < count; i++) {
    // Sorted, so that the order of equal distances is the points' own.
    for (const j of tree.within(first.xNm[i], first.yNm[i], toleranceNm).sort((a, b) => a - b)) {
      to.push(j);
      cost.push(Math.hypot(first.xNm[i] - second.xNm[j], first.yNm[i] - second.yNm[j]));
    }
    starts[i + 1] = to.length;
  }
  return { starts, to: Int32Array.from(to), cost: Float64Array.from(cost) };
}

/**
 * The partner of each row, −1 for none, at the least total cost where having none costs `alone`. Having none is a column
 * of the row's own, behind the others.
 */
function cheapest({ starts, to, cost }: NearPairs, columns: number, alone: number): Int32Array {
  const rows = starts.length - 1;
  const all = columns + rows;
  const rowOf = new Int32Array(all).fill(-1);
  const columnOf = new Int32Array(rows).fill(-1);
  // Prices of rows and columns, by which no pair costs less than nothing.
  const rowPrice = new Float64Array(rows);
  const columnPrice = new Float64Array(all);
  const distance = new Float64Array(all).fill(Infinity);
  const from = new Int32Array(all);
  const isDone = new Uint8Array(all);
  const queue = new FlatQueue<number>();

  for (let source = 0; source < rows; source++) {
    const touched: number[] = [];
    const done: number[] = [];
    let [row, reached, sink] = [source, 0, -1];
    const reach = (column: number, price: number): void => {
      if (isDone[column]) return;
      const path = reached + price - rowPrice[row] - columnPrice[column];
      if (path >= distance[column]) return;
      if (distance[column] === Infinity) touched.push(column);
      distance[column] = path;
      from[column] = row;
      queue.push(column, path);
    };
    while (sink < 0) {
      for (let at = starts[row]; at < starts[row + 1]; at++) reach(to[at], cost[at]);
      reach(columns + row, alone);
      // A column is in the queue once for each time that a shorter way to it was found.
      let column = queue.pop()!;
      while (isDone[column]) column = queue.pop()!;
      reached = distance[column];
      isDone[column] = 1;
      done.push(column);
      if (rowOf[column] < 0) sink = column;
      else row = rowOf[column];
    }
    rowPrice[source] += reached;
    for (const column of done) {
      if (column === sink) continue;
      rowPrice[rowOf[column]] += reached - distance[column];
      columnPrice[column] += distance[column] - reached;
    }
    for (let column = sink;;) {
      const owner = from[column];
      const before = columnOf[owner];
      rowOf[column] = owner;
      columnOf[owner] = column;
      if (owner === source) break;
      column = before;
    }
    for (const column of touched) {
      distance[column] = Infinity;
      isDone[column] = 0;
    }
    queue.clear();
  }
  return columnOf.map((column) => column < columns ? column : -1);
}

function requireInput(first: Points, second: Points, toleranceNm: number): void {
  const refuse = (what: string, fix: string): never => {
    throw new RangeError(explain({ what, where: "assignPoints()", fix }));
  };
  if (!(toleranceNm > 0 && Number.isFinite(toleranceNm))) {
    refuse(`a tolerance of ${toleranceNm} nm`, "give a positive number, e.g. 250");
  }
  for (const { xNm, yNm } of [first, second]) {
    if (xNm.length !== yNm.length) refuse(`${xNm.length} x and ${yNm.length} y`, "give as many of both");
    const bad = xNm.findIndex((x, i) => !(Number.isFinite(x) && Number.isFinite(yNm[i])));
    if (bad >= 0) refuse(`point ${bad} is at (${xNm[bad]}, ${yNm[bad]})`, "leave out what is nowhere");
  }
}
