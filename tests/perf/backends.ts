/** Parts `backends` and `gpu`: training steps on every backend that starts here, and of the paper's size on a GPU. */

import { UsageError } from "../../core/errors.ts";
import { type BackendName, startBackend } from "../../engine/backend.ts";
import { ours, race, type StepName, title } from "./steps.ts";
import { ms, Table, times } from "./table.ts";
import { type Racer, TimedProcess } from "./timed_process.ts";

const here = import.meta.dirname!;

/** What computes on a backend, or undefined where it does not start. */
async function deviceOf(name: BackendName): Promise<string | undefined> {
  const started = await startBackend({ name }).catch(() => undefined);
  return started === undefined ? undefined : started.device ?? "";
}

/** Software that stands in for a graphics device. */
const software = /llvmpipe|SwiftShader|softpipe|WARP|Microsoft Basic Render/i;

/** The devices of the backends that start here. */
async function devices(): Promise<Partial<Record<"native" | "webgpu", string>>> {
  const [native, webgpu] = [await deviceOf("native"), await deviceOf("webgpu")];
  await startBackend();
  return { ...(native === undefined ? {} : { native }), ...(webgpu === undefined ? {} : { webgpu }) };
}

/** Which of them are GPUs. */
async function gpus(): Promise<("native" | "webgpu")[]> {
  const { native, webgpu } = await devices();
  return [
    ...(native?.includes("CUDA") ? ["native" as const] : []),
    ...(webgpu === undefined || software.test(webgpu) ? [] : ["webgpu" as const]),
  ];
}

/**
 * Steps on each backend that starts here, and without our kernels on WebGPU, in time of all processors, which software
 * devices compute on too; prints, and returns Markdown.
 */
export async function backends(rounds: number): Promise<string> {
  const found = await devices();
  const rows: readonly StepName[] = [["supervised", 64, 8], ["ot-cyclegan", 64, 8], ["ot-cyclegan", 128, 16]];
  const table = new Table(
    `${
      (["native", "webgpu"] as const).map((name) =>
        found[name] === undefined ? `\`${name}\` does not start here` : `\`${name}\` is ${found[name]}`
      ).join(", ")
    }.`,
    "",
    "| step | wasm, ms | native, ms | webgpu, ms | its stock ops, ms | wasm against native | against webgpu | ours against stock |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
  );
  for (const row of rows) {
    const [method, size, width] = row;
    const make = (engine: string, least?: number) => () =>
      ours({ method, size, width, engine, time: "processors" }, least);
    const ms_ = await race({
      wasm: make("fma"),
      ...("native" in found ? { native: make("native", 1) } : {}),
      ...("webgpu" in found ? { webgpu: make("webgpu", 1) } : {}),
      // It takes so long that the smallest step has to do.
      ...("webgpu" in found && size === 64 ? { stock: make("webgpu-stock", 1) } : {}),
    } as Record<string, () => Racer>, rounds);
    const cell = (name: string) => ms_[name] === undefined ? "" : ms(ms_[name]);
    const ratio = (of: string, by: string) => ms_[of] === undefined ? "" : times(ms_[of] / ms_[by]);
    table.add(
      `| ${title(row)} | ${["wasm", "native", "webgpu", "stock"].map(cell).join(" | ")} | ${
        [ratio("native", "wasm"), ratio("webgpu", "wasm"), ratio("stock", "webgpu")].join(" | ")
      } |`,
    );
  }
  return table.text;
}

/** What {@linkcode gpu} takes. */
export interface GpuOptions {
  readonly rounds: number;
  /** A Python that has PyTorch, or none to compare with. */
  readonly python?: string;
  /** The step; the paper's, unless said. */
  readonly step?: StepName;
  /** Where it is tried: whatever computes here, instead of GPUs only. */
  readonly anyDevice?: boolean;
}

/**
 * A step of OT-cycleGAN of the paper's size on each backend that has a GPU here, beside PyTorch on CUDA; prints, and
 * returns Markdown.
 *
 * @throws {UsageError} where there is no GPU.
 */
export async function gpu(options: GpuOptions): Promise<string> {
  const { rounds, python, step = ["ot-cyclegan", 256, 64], anyDevice = false } = options;
  const names = anyDevice ? Object.keys(await devices()) : await gpus();
  if (names.length === 0) {
    throw new UsageError({
      what: "no backend has a GPU here, and nothing was run",
      where: "deno task perf gpu",
      fix:
        "deno task native --cuda on a machine with an NVIDIA driver, or a driver for Vulkan, Metal or DirectX 12; " +
        "deno task backends says what each backend lacks",
    });
  }
  const [method, size, width] = step;
  const kind = { method, size, width, critic: width };
  const torch = () =>
    new TimedProcess(python!, [`${here}/torch_steps.py`], { ...kind, device: anyDevice ? "cpu" : "cuda" }, 1);
  const contenders: Record<string, () => Racer> = {
    ...Object.fromEntries(names.map((engine) => [engine, () => ours({ ...kind, engine }, 1)])),
    ...(python === undefined ? {} : { torch }),
  };
  const found = await race(contenders, rounds);
  const table = new Table(
    "| step | on | ms | PyTorch, ms | ours against PyTorch |",
    "| --- | --- | ---: | ---: | ---: |",
  );
  for (const name of names) {
    const beside = python === undefined ? " | " : `${ms(found.torch)} | ${times(found.torch / found[name])}`;
    table.add(`| ${title(step)} | ${name} | ${ms(found[name])} | ${beside} |`);
  }
  return table.text;
}
