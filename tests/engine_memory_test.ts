import { equal, ok, throws } from "node:assert/strict";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import { startBackend } from "../engine/backend.ts";
import { isOutOfMemory } from "../engine/out_of_memory.ts";
import { starts } from "./engine_op_cases.ts";

Deno.test("a heap that is full is an error in words, and what was computed before stays what it was", async () => {
  await startBackend({ name: "wasm" });
  const gigabyte = [1024, 1024, 256];
  const backend = tf.backend() as BackendWasm;
  const kept: tf.TensorInfo[] = [];
  const first = tf.scalar(7);
  throws(
    () => {
      for (let i = 0; i < 5; i++) kept.push(backend.makeOutput(gigabyte, "float32"));
    },
    /4 GB that WebAssembly can address are full: no room for 1024 MB more\n {2}where: .*\n {2}fix: .*batch/,
  );
  equal(kept.length, 3);
  throws(() => backend.makeOutput([2 ** 15, 2 ** 15], "float32"), /no room for 4096 MB more/);
  equal((await first.data())[0], 7);
  for (const { dataId } of kept) backend.disposeData(dataId);
  first.dispose();
  const after = tf.ones([4]);
  equal((await after.data())[3], 1);
  after.dispose();
});

for (const name of ["webgpu", "native"]) {
  Deno.test({
    name: `a tensor that ${name} has no room for is an error in words, and known as such`,
    ignore: !(await starts(name)),
    async fn() {
      await startBackend({ name });
      throws(
        () => tf.fill([4096, 1024, 1024, 1024], 1),
        ({ message }: Error) => {
          ok(isOutOfMemory(message), message);
          return /has no room: .*\n {2}where: the backend \w+\n {2}fix: .*batch/.test(message);
        },
      );
      const after = tf.ones([4]);
      equal((await after.data())[3], 1);
      after.dispose();
      await startBackend();
    },
  });
}
