/**
 * Part `rays`: the ray transform, its adjoint and filtered back-projection, against scikit-image and ASTRA.
 */

import process from "node:process";
import * as tf from "@tensorflow/tfjs-core";
import { startBackend } from "../../engine/backend.ts";
import { rayTransform } from "../../physics/ray_transform.ts";
import { ms, Table, times } from "./table.ts";
import { type Contender, takeTurns } from "./timing.ts";
import { TimedProcess } from "./timed_process.ts";

interface Scan {
  readonly size: number;
  readonly views: number;
  readonly bins: number;
}

const scans: readonly Scan[] = [
  { size: 64, views: 96, bins: 64 },
  { size: 512, views: 720, bins: 512 },
];
const directions = ["forward", "adjoint", "inverse"] as const;
const titles = { forward: "ray transform", adjoint: "adjoint", inverse: "filtered back-projection" };

/**
 * Ours in both arithmetic classes against the libraries of `python`; prints, and returns Markdown.
 * Milliseconds are of processor time, of all threads together, which other load on the machine does not add
 * to.
 */
export async function rays(rounds: number, python: string): Promise<string> {
  const table = new Table(
    "| size, views x bins | | ours, ms | `--portable`, ms | ASTRA, ms | scikit-image, ms | ours against ASTRA | against scikit-image |",
    "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
  );
  for (const scan of scans) {
    for (const direction of directions) {
      await using stack = new AsyncDisposableStack();
      const library = async (name: string): Promise<Contender> => {
        const script = `${import.meta.dirname}/rays_python.py`;
        const worker = stack.use(
          new TimedProcess(python, [script], { library: name, direction, ...scan }, 1),
        );
        await worker.ready();
        return worker.turn;
      };
      const { fma, muladd, astra, skimage } = await takeTurns({
        fma: await ours(scan, direction, false),
        muladd: await ours(scan, direction, true),
        astra: await library("astra"),
        skimage: await library("skimage"),
      }, rounds);
      const { size, views, bins } = scan;
      table.add(
        `| ${size}², ${views} x ${bins} | ${titles[direction]} | ${ms(fma)} | ${ms(muladd)} | ${
          ms(astra)
        } | ${ms(skimage)} | ${times(astra / fma)} | ${times(skimage / fma)} |`,
      );
    }
  }
  return table.text;
}

async function ours(
  { size, views, bins }: Scan,
  direction: typeof directions[number],
  portable: boolean,
): Promise<Contender> {
  await startBackend({ portable });
  const A = rayTransform({ size: [size, size], views, bins, detector: "circle" });
  const apply = { forward: A.forward, adjoint: A.adjoint, inverse: A.approximateInverse! }[direction];
  const given = tf.randomUniform(
    [1, ...direction === "forward" ? A.imageShape : A.measurementShape],
    0,
    1,
    "float32",
    1,
  );
  const calls = size > 100 ? 4 : 1000;
  return async () => {
    await startBackend({ portable });
    apply(given).dispose();
    const start = process.cpuUsage();
    for (let i = 0; i < calls; i++) apply(given).dispose();
    const { user, system } = process.cpuUsage(start); // microseconds
    return (user + system) / 1000 / calls;
  };
}
