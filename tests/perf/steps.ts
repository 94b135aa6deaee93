/** Parts `steps` and `torch`: whole training steps, of processes that take turns. */

import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { type Contender, takeTurns } from "./timing.ts";

/** Steps a turn, about: so many milliseconds' worth. */
const TURN = 400;

/** A process that answers each line, a count, with the median milliseconds of so many steps. */
class Stepper implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncIterator<string>;
  #turn = 5;

  constructor(command: string, args: readonly string[], kind: Readonly<Record<string, unknown>>) {
    this.#child = new Deno.Command(command, {
      args: [...args, JSON.stringify(kind)],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    const output = Readable.fromWeb(this.#child.stdout as Parameters<typeof Readable.fromWeb>[0]);
    this.#lines = createInterface({ input: output })[Symbol.asyncIterator]();
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("a process that makes training steps has ended; what it said stands above");
    return value;
  }

  /** Waits until it is warm, and settles how many steps a turn has. */
  async ready(): Promise<void> {
    await this.#line();
    this.#turn = Math.max(5, Math.round(TURN / await this.turn()));
  }

  readonly turn: Contender = async () => {
    await this.#input.write(new TextEncoder().encode(`${this.#turn}\n`));
    return Number(await this.#line());
  };

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close().catch(() => {}); // closed already, where the process has ended
    await this.#child.status;
  }
}

const here = import.meta.dirname!;

function ours(kind: Readonly<Record<string, unknown>>): Stepper {
  return new Stepper(Deno.execPath(), ["run", "--no-prompt", "-A", `${here}/step_worker.ts`], kind);
}

/** The fastest turns of processes that are warmed up one after the other. */
async function race<Name extends string>(
  make: Readonly<Record<Name, () => Stepper>>,
  rounds: number,
): Promise<Record<Name, number>> {
  await using stack = new AsyncDisposableStack();
  const contenders = {} as Record<Name, Contender>;
  for (const name of Object.keys(make) as Name[]) {
    const stepper = stack.use(make[name]());
    await stepper.ready();
    contenders[name] = stepper.turn;
  }
  return await takeTurns(contenders, rounds);
}

/** A training step: method, image size, width of the U-Net. */
type StepName = readonly [method: string, size: number, width: number];

const title = ([method, size, width]: StepName) => `${method} ${size}² c${width}`;
const ms = (milliseconds: number) => milliseconds.toFixed(milliseconds < 20 ? 1 : 0);
const times = (ratio: number) => `${ratio.toFixed(2)}x`;

/**
 * Our kernels in both arithmetic classes, and without replay, against a composition of stock ops; prints, and
 * returns Markdown.
 */
export async function steps(rounds: number): Promise<string> {
  const rows: readonly StepName[] = [["supervised", 64, 8], ["ot-cyclegan", 64, 8], ["cyclegan", 64, 8]];
  const table = new Table(
    "| step | ours, ms | `--portable`, ms | `--no-replay`, ms | stock ops, ms | ours against stock |",
    "| --- | ---: | ---: | ---: | ---: | ---: |",
  );
  for (const row of rows) {
    const [method, size, width] = row;
    const { fma, muladd, tape, stock } = await race({
      fma: () => ours({ method, size, width, engine: "fma" }),
      muladd: () => ours({ method, size, width, engine: "muladd" }),
      tape: () => ours({ method, size, width, engine: "tape" }),
      stock: () => ours({ method, size, width, engine: "stock" }),
    }, rounds);
    const own = `${ms(fma)} | ${ms(muladd)} | ${ms(tape)}`;
    table.add(`| ${title(row)} | ${own} | ${ms(stock)} | ${times(stock / fma)} |`);
  }
  return table.text;
}

/** Our kernels against PyTorch on one thread; prints, and returns Markdown. */
export async function torch(rounds: number, python: string): Promise<string> {
  const rows: readonly StepName[] = [
    ["supervised", 64, 8],
    ["supervised", 64, 16],
    ["supervised", 64, 32],
    ["supervised", 128, 8],
    ["ot-cyclegan", 64, 8],
    ["ot-cyclegan", 64, 16],
    ["ot-cyclegan", 128, 8],
    ["cyclegan", 64, 8],
  ];
  const table = new Table(
    "| step | ours, ms | PyTorch eager, ms | compiled, ms | ours against eager | against compiled |",
    "| --- | ---: | ---: | ---: | ---: | ---: |",
  );
  for (const row of rows) {
    const [method, size, width] = row;
    const script = (mode: string) => () =>
      new Stepper(python, [`${here}/torch_steps.py`], { method, size, width, mode, threads: 1 });
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

/** Markdown that is printed line by line. */
class Table {
  readonly #lines: string[] = [];

  constructor(...head: string[]) {
    head.forEach((line) => this.add(line));
  }

  add(line: string): void {
    console.log(line);
    this.#lines.push(line);
  }

  get text(): string {
    return this.#lines.join("\n");
  }
}
