/** Parts `steps`, `torch` and `cores`: whole training steps, of processes that take turns. */

import { ms, Table, times } from "./table.ts";
import { type Racer, TimedProcess } from "./timed_process.ts";
import { type Contender, takeTurns } from "./timing.ts";

/** Two processes of the same kind at once; a turn's milliseconds a step are those of both together. */
class Pair implements Racer {
  readonly #both: readonly [TimedProcess, TimedProcess];

  constructor(make: () => TimedProcess) {
    this.#both = [make(), make()];
  }

  async ready(): Promise<void> {
    const [first, second] = this.#both;
    await first.ready();
    await second.ready();
    second.calls = first.calls;
  }

  readonly turn: Contender = async () => {
    const [first, second] = await Promise.all(this.#both.map((process) => process.turn()));
    return 1 / (1 / first + 1 / second);
  };

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#both) await process[Symbol.asyncDispose]();
  }
}

const here = import.meta.dirname!;

/** Our training steps of a kind, in a process of their own. */
export function ours(kind: Readonly<Record<string, unknown>>, least?: number): TimedProcess {
  return new TimedProcess(
    Deno.execPath(),
    ["run", "--no-prompt", "-A", "--unstable-webgpu", `${here}/step_worker.ts`],
    kind,
    least,
  );
}

/** The fastest turns of processes that are warmed up one after the other. */
export async function race<Name extends string>(
  make: Readonly<Record<Name, () => Racer>>,
  rounds: number,
): Promise<Record<Name, number>> {
  await using stack = new AsyncDisposableStack();
  const contenders = {} as Record<Name, Contender>;
  for (const name of Object.keys(make) as Name[]) {
    const racer = stack.use(make[name]());
    await racer.ready();
    contenders[name] = racer.turn;
  }
  return await takeTurns(contenders, rounds);
}

/** A training step: method, image size, width of the U-Net. */
export type StepName = readonly [method: string, size: number, width: number];

/** What it is called in a table. */
export const title = ([method, size, width]: StepName) => `${method} ${size}² c${width}`;

/**
 * Our kernels in both arithmetic classes, and without replay, against a composition of stock ops; prints, and
 * returns Markdown.
 */
export async function steps(rounds: number): Promise<string> {
  const rows: readonly StepName[] = [["supervised", 64, 8], ["ot-cyclegan", 64, 8], ["cyclegan", 64, 8]];
  const table = new Table(
    "| step | ours, ms | of it JavaScript | `--portable`, ms | `--no-replay`, ms | stock ops, ms | ours against stock |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
  );
  for (const row of rows) {
    const [method, size, width] = row;
    const { fma, empty, muladd, tape, stock } = await race({
      fma: () => ours({ method, size, width, engine: "fma" }),
      empty: () => ours({ method, size, width, engine: "empty" }),
      muladd: () => ours({ method, size, width, engine: "muladd" }),
      tape: () => ours({ method, size, width, engine: "tape" }),
      stock: () => ours({ method, size, width, engine: "stock" }),
    }, rounds);
    const own = `${ms(fma)} | ${(100 * empty / fma).toFixed(1)} % | ${ms(muladd)} | ${ms(tape)}`;
    table.add(`| ${title(row)} | ${own} | ${ms(stock)} | ${times(stock / fma)} |`);
  }
  return table.text;
}

/**
 * Steps on volumes, by our kernels in both arithmetic classes and without replay; the supervised ones against
 * `tf.conv3d`. Prints, and returns Markdown.
 */
export async function volumes(rounds: number): Promise<string> {
  const rows: readonly StepName[] = [
    ["supervised", 24, 4],
    ["supervised", 24, 8],
    ["supervised", 32, 4],
    ["supervised", 32, 8],
    ["ot-cyclegan", 24, 8],
  ];
  const table = new Table(
    "| step | ours, ms | `--portable`, ms | `--no-replay`, ms | stock ops, ms | ours against stock |",
    "| --- | ---: | ---: | ---: | ---: | ---: |",
  );
  for (const [method, size, width] of rows) {
    const kind = { method, size, width, dimensions: 3 };
    const own = {
      fma: () => ours({ ...kind, engine: "fma" }),
      muladd: () => ours({ ...kind, engine: "muladd" }),
      tape: () => ours({ ...kind, engine: "tape" }),
    };
    const title = `${method} ${size}³ c${width}`;
    if (method !== "supervised") {
      const { fma, muladd, tape } = await race(own, rounds);
      table.add(`| ${title} | ${ms(fma)} | ${ms(muladd)} | ${ms(tape)} | | |`);
      continue;
    }
    const { fma, muladd, tape, stock } = await race(
      { ...own, stock: () => ours({ ...kind, engine: "stock" }, 1) },
      rounds,
    );
    table.add(
      `| ${title} | ${ms(fma)} | ${ms(muladd)} | ${ms(tape)} | ${ms(stock)} | ${times(stock / fma)} |`,
    );
  }
  return table.text;
}

/** The steps that are compared with PyTorch's. */
const compared: readonly StepName[] = [
  ["supervised", 64, 8],
  ["supervised", 64, 16],
  ["supervised", 64, 32],
  ["supervised", 128, 8],
  ["ot-cyclegan", 64, 8],
  ["ot-cyclegan", 64, 16],
  ["ot-cyclegan", 128, 8],
  ["cyclegan", 64, 8],
];

/** Our kernels against PyTorch on one thread; prints, and returns Markdown. */
export async function torch(rounds: number, python: string): Promise<string> {
  const table = new Table(
    "| step | ours, ms | PyTorch eager, ms | compiled, ms | ours against eager | against compiled |",
    "| --- | ---: | ---: | ---: | ---: | ---: |",
  );
  for (const row of compared) {
    const [method, size, width] = row;
    const script = (mode: string) => () =>
      new TimedProcess(python, [`${here}/torch_steps.py`], { method, size, width, mode, threads: 1 });
    const own = () => ours({ method, size, width, engine: "fma" });
    if (method === "supervised") {
      const { fma, eager, compiled } = await race(
        { fma: own, eager: script("eager"), compiled: script("compiled") },
        rounds,
      );
      const ratios = `${times(eager / fma)} | ${times(compiled / fma)}`;
      table.add(`| ${title(row)} | ${ms(fma)} | ${ms(eager)} | ${ms(compiled)} | ${ratios} |`);
    } else {
      const { fma, eager } = await race({ fma: own, eager: script("eager") }, rounds);
      table.add(`| ${title(row)} | ${ms(fma)} | ${ms(eager)} | | ${times(eager / fma)} | |`);
    }
  }
  return table.text;
}

/**
 * Two of our workers on two cores against PyTorch on two threads and against two processes of it; prints, and returns
 * Markdown.
 */
export async function cores(rounds: number, python: string): Promise<string> {
  const table = new Table(
    "| step | two workers, ms | PyTorch, two threads, ms | two processes, ms | ours against threads | against processes |",
    "| --- | ---: | ---: | ---: | ---: | ---: |",
  );
  for (const row of compared) {
    const [method, size, width] = row;
    const script = (threads: number) =>
      new TimedProcess(python, [`${here}/torch_steps.py`], { method, size, width, mode: "eager", threads });
    const { own, threads, processes } = await race({
      own: () => new Pair(() => ours({ method, size, width, engine: "fma" })),
      threads: () => script(2),
      processes: () => new Pair(() => script(1)),
    }, rounds);
    const ratios = `${times(threads / own)} | ${times(processes / own)}`;
    table.add(`| ${title(row)} | ${ms(own)} | ${ms(threads)} | ${ms(processes)} | ${ratios} |`);
  }
  return table.text;
}
