import assert from "node:assert/strict";
import { arithmeticClasses, compile, moduleNames } from "../engine/kernels/build.ts";

for (const name of moduleNames) {
  for (const arithmetic of arithmeticClasses) {
    Deno.test(`${name}.${arithmetic}.wasm is what its source compiles to`, async () => {
      const committed = await Deno.readFile(
        new URL(`../engine/kernels/${name}.${arithmetic}.wasm`, import.meta.url),
      );
      const compiled = await compile(name, arithmetic);
      assert.ok(
        committed.length === compiled.length && committed.every((byte, i) => byte === compiled[i]),
        "the sources have changed: run `deno task kernels` and commit the .wasm files",
      );
    });
  }
}

Deno.test("a kernel module has no data of its own and only imports the heap", async () => {
  for (const name of moduleNames) {
    const module = new WebAssembly.Module(await compile(name, "fma") as BufferSource);
    const imports = WebAssembly.Module.imports(module).map((item) => `${item.module}.${item.name}`);
    assert.deepEqual(imports, ["env.memory"], name);
    const heap = new WebAssembly.Memory({ initial: 1 });
    new WebAssembly.Instance(module, { env: { memory: heap } });
    assert.ok(
      new Uint8Array(heap.buffer).every((byte) => byte === 0),
      `${name} writes to the heap when it starts`,
    );
  }
});
