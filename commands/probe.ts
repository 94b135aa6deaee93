/**
 * Whether a backend works here: a process of its own starts it and takes two training steps of a small network, as the
 * backend `wasm` does, to which they are compared.
 */

import { fileURLToPath } from "node:url";
import * as tf from "@tensorflow/tfjs-core";
import { stream } from "../core/random.ts";
import { Adam } from "../engine/adam.ts";
import { type BackendName, startBackend } from "../engine/backend.ts";
import { averagePool2, conv2d, instanceNorm, l1, leakyRelu } from "../engine/ops.ts";

/** What was found out about a backend. */
export interface Probe {
  readonly works: boolean;
  /** In a line: what computes, or why nothing does and what to do. */
  readonly text: string;
}

// Two steps of Adam from 1e-2 move the loss by a hundredth; rounding alone by a millionth.
const tolerance = 1e-4;

/** Tries a backend in a process of its own: one that crashes takes nobody with it. */
export async function probe(name: BackendName): Promise<Probe> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "-A", "--unstable-webgpu", fileURLToPath(import.meta.url), name],
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  const last = decoder.decode(stdout).trim().split("\n").at(-1) ?? "";
  if (success && last.startsWith("{")) return JSON.parse(last) as Probe;
  const why = decoder.decode(stderr).trim().split("\n").at(-1) ?? "";
  return { works: false, text: `its process ended without a result: ${why}` };
}

/** The losses of two training steps: convolutions, norm, pooling, their gradients, and Adam. */
async function losses(): Promise<number[]> {
  const rng = stream("probe");
  const values = (size: number) => Float32Array.from({ length: size }, () => rng.normal());
  const image = tf.tensor4d(values(2 * 8 * 8 * 3), [2, 8, 8, 3]);
  const filter = tf.variable(tf.tensor4d(values(3 * 3 * 3 * 5), [3, 3, 3, 5]));
  const target = tf.tensor4d(values(2 * 4 * 4 * 5), [2, 4, 4, 5]);
  const adam = new Adam({ beta1: 0.9, beta2: 0.99 });
  const found: number[] = [];
  for (let step = 0; step < 2; step++) {
    const loss = tf.tidy(() => {
      const { value, grads } = tf.variableGrads(
        () => l1(target, averagePool2(leakyRelu(instanceNorm(conv2d(image, filter, { padding: 1 })), 0.2))),
        [filter],
      );
      adam.step([filter], [grads[filter.name]], () => 1e-2);
      return value;
    });
    found.push((await loss.data())[0]);
    loss.dispose();
  }
  return found;
}

async function main([name]: string[]): Promise<Probe> {
  try {
    const { arithmetic, versions, device } = await startBackend({ name });
    const found = await losses();
    await startBackend();
    const expected = await losses();
    const error = Math.max(...found.map((loss, i) => Math.abs(loss - expected[i])));
    const what = [
      device,
      ...Object.entries(versions).map(([packageName, version]) => `${packageName} ${version}`),
      arithmetic === "backend" ? undefined : arithmetic,
    ].filter((part) => part !== undefined).join(", ");
    return error <= tolerance
      ? { works: true, text: `works: ${what}` }
      : { works: false, text: `computes wrongly: its losses are ${error} away from those of wasm (${what})` };
  } catch (error) {
    return { works: false, text: (error as Error).message.replace(/\s*\n\s*/g, "; ") };
  }
}

if (import.meta.main) {
  console.log(JSON.stringify(await main(Deno.args)));
  Deno.exit(0);
}
