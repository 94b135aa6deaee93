/**
 * Sums along lines and their adjoint on the backend `wasm`: views that mirror each other are put into groups
 * of four, which the kernels (`kernels/lines.ts`) take at once.
 */

import type * as tf from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { kernel } from "./kernel_names.ts";
import type { ParallelLines } from "./lines.ts";
import { registerOnWasm, stored, type WasmModule } from "./wasm_module.ts";

/** Registers both kernels on `wasm`, in place of any that are there. */
export function registerLineKernels(backend: BackendWasm, { calls, scratch }: WasmModule): void {
  const at = (tensor: tf.TensorInfo): number => stored(backend, tensor).memoryOffset;
  const register = (
    name: string,
    function_: "lineSums" | "spreadAlongLines",
    pad: (layout: Layout, lines: ParallelLines) => number,
    extents: (lines: ParallelLines) => readonly [number, number],
  ): void => {
    registerOnWasm(name, ({ inputs, attrs }) => {
      const given = Object.values(inputs)[0] as tf.TensorInfo;
      const lines = attrs as unknown as ParallelLines;
      const { height, width, angles, bins, spacing, interpolate } = lines;
      const [n, , , channels] = given.shape;
      const layout = layoutOf(lines);
      const { groups, side } = layout;
      const zeros = pad(layout, lines);
      const out = backend.makeOutput([n, ...extents(lines), channels], "float32");
      const room = scratch(calls.lineScratch(groups.length, side, bins, zeros));
      groups.forEach(({ cosine, sine, centre, views }, group) =>
        calls.lineGroup(room, group, cosine, sine, ...centre, ...views)
      );
      calls[function_](
        at(given),
        at(out),
        ...[n, height, width, channels, angles.length, bins, groups.length, side, zeros, spacing],
        interpolate === "bins" ? 1 : 0,
        room,
      );
      return out;
    });
  };
  register(kernel.lineSums, "lineSums", padOfRows, ({ angles, bins }) => [angles.length, bins]);
  register(kernel.spreadAlongLines, "spreadAlongLines", padOfSums, ({ height, width }) => [height, width]);
}

/** Views that share their geometry. */
interface Group {
  /** Of the angle that they come down to, between 0 and π/4. */
  readonly cosine: number;
  readonly sine: number;
  /** Where the middle of the image is in its square, in pixels from its first one. */
  readonly centre: readonly [number, number];
  /** The view of each lane, counted from 1; negative where its bins run backwards; 0 where there is none. */
  readonly views: [number, number, number, number];
}

interface Layout {
  readonly groups: readonly Group[];
  readonly side: number;
}

const layouts = new WeakMap<readonly number[], Map<string, Layout>>();

/** Worked out once for each list of angles, and size. */
function layoutOf(lines: ParallelLines): Layout {
  const { height, width, angles } = lines;
  const known = layouts.get(angles) ?? new Map<string, Layout>();
  layouts.set(angles, known);
  const key = `${height} ${width}`;
  const layout = known.get(key) ?? makeLayout(lines);
  known.set(key, layout);
  return layout;
}

/** Angles that differ by less are the same: a millionth of a pixel at the rim of the largest images. */
const sameAngle = 1e-10;

function makeLayout({ height, width, angles }: ParallelLines): Layout {
  const side = Math.max(height, width);
  const middle = (extent: number) => ((side - extent) >> 1) + (extent - 1) / 2;
  const upright = [middle(width), middle(height)] as const;
  const lying = [middle(height), middle(width)] as const;
  const open = new Map<string, Group[]>();
  angles.forEach((angle, view) => {
    const { lane, reduced, backwards } = reduce(angle);
    const centre = lane === 0 || lane === 3 ? upright : lying;
    const key = `${Math.round(reduced / sameAngle)} ${centre}`;
    const alike = open.get(key) ?? [];
    open.set(key, alike);
    let group = alike.find(({ views }) => views[lane] === 0);
    if (group === undefined) {
      group = { cosine: Math.cos(reduced), sine: Math.sin(reduced), centre, views: [0, 0, 0, 0] };
      alike.push(group);
    }
    group.views[lane] = backwards ? -(view + 1) : view + 1;
  });
  const groups = [...open.values()].flat().sort((a, b) => a.sine - b.sine);
  while (groups.length % 4 !== 0) groups.push({ ...groups[groups.length - 1], views: [0, 0, 0, 0] });
  return { groups, side };
}

/**
 * An angle as one between 0 and π/4, of the image as it is (lane 0), with x' = y and y' = x (1), x' = y and
 * y' = −x (2), or x' = −x (3).
 */
function reduce(angle: number): { lane: number; reduced: number; backwards: boolean } {
  const turned = angle - 2 * Math.PI * Math.floor(angle / (2 * Math.PI));
  const backwards = turned >= Math.PI;
  const half = backwards ? turned - Math.PI : turned;
  const lane = half <= Math.PI / 4 ? 0 : half <= Math.PI / 2 ? 1 : half < 3 * Math.PI / 4 ? 2 : 3;
  const reduced = [half, Math.PI / 2 - half, half - Math.PI / 2, Math.PI - half][lane];
  return { lane, reduced, backwards };
}

/**
 * Zeros beside a row: lines are followed up to a hat's width beyond it, and as far as they move in three rows
 * more.
 */
function padOfRows({ groups }: Layout, { spacing, interpolate }: ParallelLines): number {
  const half = interpolate === "pixels" ? 1 : Math.max(...groups.map(({ cosine }) => spacing / cosine));
  return 2 * Math.ceil(half) + 5;
}

/** Zeros beside the sums of a view: every pixel is looked for, also those that no line meets. */
function padOfSums({ groups, side }: Layout, { bins, spacing, interpolate }: ParallelLines): number {
  const reach = interpolate === "pixels" ? Math.max(...groups.map(({ cosine }) => cosine / spacing)) : 1;
  const beyond = groups.map(({ cosine, sine, centre }) => {
    const farthest = Math.max(
      ...[0, side].flatMap((x) =>
        [0, side].map((y) => Math.abs((x - centre[0]) * cosine + (centre[1] - y) * sine))
      ),
    );
    return farthest / spacing - (bins - 1) / 2;
  });
  return Math.max(0, Math.ceil(Math.max(...beyond))) + 2 * Math.ceil(reach) + 3;
}
