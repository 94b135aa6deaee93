/**
 * `deno task kernels`: compiles the AssemblyScript modules of this folder, in both arithmetic classes.
 *
 * The results are committed, so that a run needs no compiler; a test compiles again and compares bytes.
 */

import asc from "assemblyscript/asc";

/** How sums of products are rounded: once, or twice. README.md, Arithmetic. */
export type ArithmeticClass = "fma" | "muladd";

/**
 * Optimisation by module. Register pressure decides for convolutions: V8 spills what `-O3` keeps alive.
 */
const optimisation = {
  arrays: "-O3",
  blocks: "-O3",
  channels: "-O3",
  conv: "-O1",
  fourier: "-O3",
  lines: "-O1",
  logarithms: "-O3",
  norm: "-O3",
  pointwise: "-O3",
} as const;

/** A module of this folder. */
export type ModuleName = keyof typeof optimisation;

/** All modules of this folder. */
export const moduleNames = Object.keys(optimisation) as ModuleName[];

/** Both arithmetic classes. */
export const arithmeticClasses: readonly ArithmeticClass[] = ["fma", "muladd"];

/**
 * Compiles one module in one class; the same source and compiler give the same bytes. Without `winograd` every
 * convolution is direct, which is only there to be compared with (`deno task perf direct`).
 */
export async function compile(
  name: ModuleName,
  arithmetic: ArithmeticClass,
  { winograd = true }: { readonly winograd?: boolean } = {},
): Promise<Uint8Array> {
  let wasm: Uint8Array | undefined;
  const folder = import.meta.dirname!;
  const { error, stderr } = await asc.main([
    `${name}.ts`,
    `--baseDir=${folder}`,
    `--outFile=${name}.wasm`,
    optimisation[name],
    `--use=FMA=${arithmetic === "fma" ? 1 : 0}`,
    `--use=WINOGRAD=${winograd ? 1 : 0}`,
    "--enable=simd,relaxed-simd",
    "--runtime=stub",
    "--noAssert",
    "--importMemory",
    // Declared with one page, V8 drops one of the two bounds checks of each access (5-8 %); the heap is larger.
    "--initialMemory=1",
  ], {
    readFile: (file, base) => readIfThere(`${base}/${file}`),
    writeFile: (_file, contents) => {
      wasm = contents as Uint8Array;
    },
    listFiles: () => [],
  });
  if (error !== null || wasm === undefined) {
    throw new Error(`cannot compile ${name}.ts:\n${stderr}`, { cause: error });
  }
  return wasm;
}

function readIfThere(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return null; // the compiler tries several places for each import
  }
}

if (import.meta.main) {
  for (const name of moduleNames) {
    for (const arithmetic of arithmeticClasses) {
      const path = `${import.meta.dirname}/${name}.${arithmetic}.wasm`;
      const wasm = await compile(name, arithmetic);
      await Deno.writeFile(path, wasm);
      console.log(`${name}.${arithmetic}.wasm ${wasm.length} bytes`);
    }
  }
}
