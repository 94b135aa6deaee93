/**
 * Complex brain-like phantoms: a head of its own size, place and tilt with a skull, a gap, a folded cortex, soft
 * structures inside, fine texture, and a smooth phase.
 *
 * The recipe is ours; what it must be like was found by trying: with hard edges, strong texture or a phase that
 * wanders, 4x acceleration destroys what no method can learn to restore within minutes. So edges are about two pixels
 * wide, the texture has 3 %, and the phase is a polynomial of second order of about 0.4 rad. Heads differ enough in place
 * and size for their mean to be a worse guess than the zero-filled image, by about 4 dB at 4x.
 *
 * A subject is a volume: its head shrinks and its structures come and go smoothly from slice to slice. Every sample is
 * drawn from streams that are named after its subject and slice, so that any one can be made alone.
 */

import { type Rng, stream } from "../core/random.ts";
import type { Dataset } from "./dataset.ts";
import { simulatedDataset, type SimulationSettings } from "./simulated.ts";

/** How many, how large, and which. */
export type PhantomSettings = SimulationSettings;

/** The dataset of phantoms. Samples have an image `[matrix, matrix, 2]`, of which the magnitude is at most about 1. */
export function phantoms(settings: PhantomSettings): Dataset {
  const { subjects, slices, matrix } = settings;
  return simulatedDataset(settings, {
    kind: "phantoms",
    each: "phantom",
    channels: 2,
    version: 1,
    unit: "arbitrary",
    holds: "images",
    banners: [],
    notes: [`${subjects} simulated heads of ${slices} slices each`],
    make: (name, slice) => ({
      image: { shape: [matrix, matrix, 2], data: phantom(name, slice, slices, matrix) },
    }),
  });
}

/** A soft ellipse inside the head, in the head's own coordinates. */
interface Structure {
  readonly x: number;
  readonly y: number;
  readonly a: number;
  readonly b: number;
  readonly tilt: number;
  readonly value: number;
  /** Where along the volume it is largest, in [0, 1], and how far it reaches. */
  readonly middle: number;
  readonly reach: number;
}

/** Lengths are fractions of half the field of view; the volume's height runs from 0 to 1. */
interface Head {
  readonly x: number;
  readonly y: number;
  readonly a: number;
  readonly b: number;
  readonly tilt: number;
  readonly drift: readonly [number, number];
  readonly taper: number;
  readonly skull: { readonly thickness: number; readonly value: number };
  readonly gap: { readonly thickness: number; readonly value: number };
  readonly cortex: { readonly thickness: number; readonly value: number };
  /** Waves along the cortex, their depth as a share of its thickness. */
  readonly folds: readonly { readonly count: number; readonly depth: number; readonly phase: number }[];
  readonly white: number;
  readonly structures: readonly Structure[];
  readonly phase: readonly number[];
}

const between = (rng: Rng, least: number, most: number) => least + (most - least) * rng.uniform();

function headOf(rng: Rng): Head {
  const a = between(rng, 0.55, 0.76);
  return {
    x: between(rng, -0.12, 0.12),
    y: between(rng, -0.08, 0.08),
    a,
    b: a * between(rng, 1.02, 1.22),
    tilt: between(rng, -0.35, 0.35),
    drift: [between(rng, -0.04, 0.04), between(rng, -0.04, 0.04)],
    taper: between(rng, 0.04, 0.14),
    skull: { thickness: between(rng, 0.045, 0.07), value: between(rng, 0.4, 0.65) },
    gap: { thickness: between(rng, 0.05, 0.09), value: between(rng, 0.1, 0.2) },
    cortex: { thickness: between(rng, 0.1, 0.16), value: between(rng, 0.45, 0.6) },
    folds: [between(rng, 9, 13), between(rng, 15, 21)].map((count, i) => ({
      count: Math.round(count),
      depth: between(rng, 0.25, 0.5) / (i + 1),
      phase: between(rng, 0, 2 * Math.PI),
    })),
    white: between(rng, 0.65, 0.8),
    structures: Array.from({ length: 5 + rng.integer(6) }, () => ({
      x: between(rng, -0.5, 0.5),
      y: between(rng, -0.5, 0.5),
      a: between(rng, 0.08, 0.28),
      b: between(rng, 0.08, 0.28),
      tilt: between(rng, 0, Math.PI),
      value: between(rng, -0.3, 0.2),
      middle: between(rng, -0.1, 1.1),
      reach: between(rng, 0.6, 1.2),
    })),
    phase: Array.from({ length: 6 }, () => between(rng, -0.2, 0.2)),
  };
}

/** One slice, `[matrix, matrix, 2]`. */
function phantom(name: string, slice: number, slices: number, matrix: number): Float32Array {
  const head = headOf(stream(name));
  const rng = stream(`${name}/${slice}`);
  const z = (slice + 0.5) / slices;
  const x0 = head.x + head.drift[0] * (z - 0.5);
  const y0 = head.y + head.drift[1] * (z - 0.5);
  const shrink = 1 - head.taper * z * z;
  const [cos, sin] = [Math.cos(head.tilt), Math.sin(head.tilt)];
  const [a, b] = [head.a * shrink, head.b * shrink];
  // In (u, v) below the head is the unit disc; times `radius`, distances there are lengths again, up to the ellipse's
  // excentricity, so that an edge is as soft in a large head as in a small one.
  const radius = Math.sqrt(a * b);
  const softness = 2.2 / matrix;
  const outer = 1;
  const skullInner = outer - head.skull.thickness / radius;
  const brain = skullInner - head.gap.thickness / radius;
  const present = head.structures.map((one) => ({
    ...one,
    // A structure's section is a disc's through a ball: it grows and shrinks along the volume.
    section: Math.sqrt(Math.max(0, 1 - ((z - one.middle) / one.reach) ** 2)),
    cos: Math.cos(one.tilt),
    sin: Math.sin(one.tilt),
  })).filter(({ section }) => section > 0.2);
  const texture = textureOf(rng, matrix);

  const data = new Float32Array(2 * matrix * matrix);
  for (let row = 0; row < matrix; row++) {
    const y = (2 * row + 1) / matrix - 1;
    for (let column = 0; column < matrix; column++) {
      const x = (2 * column + 1) / matrix - 1;
      const i = row * matrix + column;
      const u = ((x - x0) * cos + (y - y0) * sin) / a;
      const v = ((y - y0) * cos - (x - x0) * sin) / b;
      const r = Math.sqrt(u * u + v * v);
      const inside = soft((outer - r) * radius, softness);
      if (inside < 1e-6) continue;

      const angle = Math.atan2(v, u);
      let fold = 0;
      for (const { count, depth, phase } of head.folds) {
        fold += depth * Math.cos(count * angle + phase + 2 * z);
      }
      const core = brain - (head.cortex.thickness / radius) * (1 + fold);
      const inSkull = soft((skullInner - r) * radius, softness);
      const inBrain = soft((brain + 0.03 * fold - r) * radius, softness);
      const inCore = soft((core - r) * radius, softness);
      let tissue = head.cortex.value + (head.white - head.cortex.value) * inCore;
      for (const one of present) {
        const p = u - one.x;
        const q = v - one.y;
        const s = (p * one.cos + q * one.sin) / one.a;
        const t = (q * one.cos - p * one.sin) / one.b;
        const distance = (one.section - Math.sqrt(s * s + t * t)) * Math.min(one.a, one.b) * radius;
        tissue += one.value * soft(distance, 1.5 * softness) * inCore;
      }
      tissue = Math.max(0.02, tissue) * (1 + 0.03 * texture[i]);
      const magnitude = inside *
        (head.skull.value * (1 - inSkull) + inSkull * (head.gap.value * (1 - inBrain) + inBrain * tissue));

      const [c, cx, cy, cxx, cxy, cyy] = head.phase;
      const phase = c + cx * x + cy * y + cxx * x * x + cxy * x * y + cyy * y * y + 0.1 * (z - 0.5) * (x + y);
      data[2 * i] = magnitude * Math.cos(phase);
      data[2 * i + 1] = magnitude * Math.sin(phase);
    }
  }
  return data;
}

/** From 0 outside to 1 inside over about `±width`, as the distance to an edge goes from below to above zero. */
function soft(distance: number, width: number): number {
  const t = Math.min(1, Math.max(0, 0.5 + distance / (2 * width)));
  return t * t * (3 - 2 * t);
}

/** A band-limited random texture of unit variance: waves of 6 to 14 periods across the image. */
function textureOf(rng: Rng, matrix: number): Float64Array {
  const waves = 12;
  const output = new Float64Array(matrix * matrix);
  const cosines = new Float64Array(matrix);
  const sines = new Float64Array(matrix);
  for (let wave = 0; wave < waves; wave++) {
    const periods = between(rng, 6, 14);
    const direction = between(rng, 0, Math.PI);
    const phase = between(rng, 0, 2 * Math.PI);
    const [fx, fy] = [periods * Math.cos(direction), periods * Math.sin(direction)];
    // cos(α + β) by row and column: two tables in place of a cosine a pixel.
    for (let column = 0; column < matrix; column++) {
      cosines[column] = Math.cos(2 * Math.PI * fx * column / matrix);
      sines[column] = Math.sin(2 * Math.PI * fx * column / matrix);
    }
    const amplitude = Math.sqrt(2 / waves);
    for (let row = 0; row < matrix; row++) {
      const c = amplitude * Math.cos(2 * Math.PI * fy * row / matrix + phase);
      const s = amplitude * Math.sin(2 * Math.PI * fy * row / matrix + phase);
      for (let column = 0; column < matrix; column++) {
        output[row * matrix + column] += c * cosines[column] - s * sines[column];
      }
    }
  }
  return output;
}
