/** What one core can do at most: multiply-adds on registers alone, compiled like our kernels. */

import asc from "assemblyscript/asc";

/**
 * Twelve chains of multiply-adds: more than the product of latency and units of any processor of today, and
 * few enough for 16 registers. The result is stored, so that nothing can be left out.
 */
const chains = Array.from({ length: 12 }, (_, i) => `c${i}`);
const source = (madd: string) => `
export function loop(count: i32, memory: usize): void {
  const a = v128.load(memory), b = v128.load(memory, 16);
  let ${chains.map((c) => `${c} = a`).join(", ")};
  for (let i = 0; i < count; i++) {
    ${chains.map((c) => `${c} = ${madd.replace("c", c)};`).join("\n    ")}
  }
  ${chains.map((c, i) => `v128.store(memory, ${c}, ${32 + 16 * i});`).join("\n  ")}
}`;

const madds = { fma: "f32x4.relaxed_madd(a, b, c)", muladd: "f32x4.add(f32x4.mul(a, b), c)" };

/** The register loop of an arithmetic class: runs, and says how many floating-point operations that was. */
export interface RegisterLoop {
  run(): void;
  /** Operations a run; a multiply-add is two. */
  readonly operations: number;
}

/** Compiles the loop. */
export async function registerLoop(arithmetic: keyof typeof madds): Promise<RegisterLoop> {
  let wasm: Uint8Array<ArrayBuffer> | undefined;
  const { error, stderr } = await asc.main([
    "loop.ts",
    "--outFile=loop.wasm",
    "-O1",
    "--enable=simd,relaxed-simd",
    "--runtime=stub",
    "--noAssert",
    "--importMemory",
  ], {
    readFile: (name) => name === "loop.ts" ? source(madds[arithmetic]) : null,
    writeFile: (_name, contents) => {
      wasm = contents as Uint8Array<ArrayBuffer>;
    },
    listFiles: () => [],
  });
  if (error !== null || wasm === undefined) throw new Error(`the register loop: ${stderr}`, { cause: error });
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { instance } = await WebAssembly.instantiate(wasm, { env: { memory } });
  const { loop } = instance.exports as { loop(count: number, memory: number): void };
  const count = 20_000;
  return { run: () => loop(count, 1024), operations: count * chains.length * 4 * 2 };
}
