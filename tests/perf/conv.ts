/** Part `conv`: the convolution kernels, as shares of what one core can do on registers alone. */

import { type RegisterLoop, registerLoop } from "./fma_peak.ts";
import { shortTask, takeTurns } from "./timing.ts";

/** The sizes of a convolution of square images, in the order of the kernels' calls. */
interface Shape {
  readonly batch: number;
  readonly side: number;
  readonly channels: number;
  readonly filter: number;
  readonly outputs: number;
  readonly padding: number;
}

const same = (side: number, channels: number, outputs: number, filter = 3, batch = 1): Shape => ({
  batch,
  side,
  channels,
  filter,
  outputs,
  padding: filter >> 1,
});
const valid = (side: number, channels: number, outputs: number): Shape => ({
  batch: 1,
  side,
  channels,
  filter: 2,
  outputs,
  padding: 0,
});

/** What networks of this suite consist of. */
export const sections: Readonly<Record<string, readonly Shape[]>> = {
  "3x3, same channels in and out": [8, 16, 32, 64, 128].flatMap((channels) =>
    [64, 32, 16, 8].filter((side) => side * channels <= 4096).map((side) => same(side, channels, channels))
  ),
  "3x3, where a U-Net widens or narrows": [
    same(32, 8, 16),
    same(16, 16, 32),
    same(8, 32, 64),
    same(64, 24, 8),
    same(32, 48, 16),
    same(16, 96, 32),
  ],
  "few channels": [same(64, 2, 8), same(64, 8, 2, 1), same(64, 2, 16), same(64, 8, 2), same(8, 64, 1)],
  "2x2, a critic's 4x4 of stride 2 after space-to-depth": [
    valid(33, 8, 16),
    valid(17, 64, 32),
    valid(9, 128, 64),
  ],
  "5x5, the direct way at its largest": [8, 16, 32, 64].map((channels) => same(32, channels, channels, 5)),
  "4x4 images": [same(4, 64, 64), same(4, 128, 128)],
  "batches": [same(32, 16, 16, 3, 8), same(8, 64, 64, 3, 8)],
};

const directions = ["convForward", "convBackpropInput", "convBackpropFilter"] as const;

/** Of each direction, the operations of the definition a second, as a share of the register loop's. */
type Shares = Readonly<Record<typeof directions[number], number>>;

type Calls = Readonly<Record<string, (...values: number[]) => void>>;

class Kernels {
  readonly #calls: Calls;

  constructor(arithmetic: "fma" | "muladd", readonly loop: RegisterLoop) {
    const memory = new WebAssembly.Memory({ initial: 1024 });
    new Float32Array(memory.buffer).fill(0.5);
    const file = new URL(`../../engine/kernels/conv.${arithmetic}.wasm`, import.meta.url);
    const module = new WebAssembly.Module(Deno.readFileSync(file));
    this.#calls = new WebAssembly.Instance(module, { env: { memory, abort() {} } }).exports as Calls;
  }

  async shares({ batch, side, channels, filter, outputs, padding }: Shape): Promise<Shares> {
    const sizes = [batch, side, side, channels, filter, filter, outputs, padding];
    const outSide = side + 2 * padding - filter + 1;
    const operations = 2 * batch * outSide ** 2 * filter ** 2 * channels * outputs;
    const [a, b, out, scratch] = [1, 9, 17, 25].map((megabytes) => megabytes << 20);
    const task = (direction: string) => shortTask(() => this.#calls[direction](a, b, out, ...sizes, scratch));
    const { peak, ...times } = await takeTurns({
      peak: shortTask(this.loop.run),
      convForward: task("convForward"),
      convBackpropInput: task("convBackpropInput"),
      convBackpropFilter: task("convBackpropFilter"),
    }, 8);
    const share = (milliseconds: number) => operations / milliseconds / (this.loop.operations / peak);
    return {
      convForward: share(times.convForward),
      convBackpropInput: share(times.convBackpropInput),
      convBackpropFilter: share(times.convBackpropFilter),
    };
  }
}

/** Measures, prints as it goes, and returns Markdown. */
export async function conv(arithmetic: "fma" | "muladd" = "fma"): Promise<string> {
  const loop = await registerLoop(arithmetic);
  const { peak } = await takeTurns({ peak: shortTask(loop.run) }, 15);
  const kernels = new Kernels(arithmetic, loop);
  const lines = [
    `Register loop: ${
      (loop.operations / peak / 1e6).toFixed(1)
    } GFLOP/s on one core (${arithmetic}). The table: operations of the ` +
    "definition a second, as a share of that; beyond 100 % by Winograd's tiles.",
    "",
    "| convolution | forward | gradient in image | gradient in filter |",
    "| --- | ---: | ---: | ---: |",
  ];
  lines.forEach((line) => console.log(line));
  for (const [section, shapes] of Object.entries(sections)) {
    const add = (line: string) => (console.log(line), lines.push(line));
    add(`| **${section}** | | | |`);
    for (const shape of shapes) {
      const shares = await kernels.shares(shape);
      const { batch, side, channels, outputs, filter } = shape;
      const name = `${batch > 1 ? `${batch} x ` : ""}${side}², ${filter}x${filter}, ${channels} → ${outputs}`;
      add(`| ${name} | ${directions.map((d) => `${Math.round(100 * shares[d])} %`).join(" | ")} |`);
    }
  }
  return lines.join("\n");
}
