import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import { UsageError } from "../core/errors.ts";
import { stream } from "../core/random.ts";
import { startBackend } from "../engine/backend.ts";
import { compile } from "../engine/kernels/build.ts";
import * as ops from "../engine/ops.ts";

/** What fused multiply-add gives, and what two roundings give. */
const [FUSED, ROUNDED_TWICE] = [-(2 ** -26), 0];

async function multiplyAdd(arithmetic: "fma" | "muladd"): Promise<number> {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const bytes = await compile("pointwise", arithmetic);
  const { instance } = await WebAssembly.instantiate(bytes as BufferSource, {
    env: { memory },
  }) as unknown as {
    instance: WebAssembly.Instance;
  };
  const call = instance.exports.multiplyAdd as (a: number, b: number, c: number) => number;
  return call(1 + 2 ** -13, 1 - 2 ** -13, -1);
}

Deno.test("startBackend() takes wasm unless told otherwise, and says what computes", async () => {
  const backend = await startBackend();
  assert.equal(backend.name, "wasm");
  assert.equal(tf.getBackend(), "wasm");
  assert.deepEqual(backend.versions, {
    "@tensorflow/tfjs-core": "4.22.0",
    "@tensorflow/tfjs-backend-wasm": "4.22.0",
  });
});

Deno.test("startBackend() names the arithmetic that this machine really does", async () => {
  const { arithmetic } = await startBackend();
  const value = await multiplyAdd("fma");
  assert.ok(value === FUSED || value === ROUNDED_TWICE, `neither: ${value}`);
  assert.equal(arithmetic, value === FUSED ? "fma" : "muladd");
});

Deno.test("the portable modules round twice on every machine", async () => {
  assert.equal((await startBackend({ portable: true })).arithmetic, "muladd");
  assert.equal(await multiplyAdd("muladd"), ROUNDED_TWICE);
});

Deno.test("startBackend() goes from one backend to another and back", async () => {
  for (const name of ["cpu", "wasm", "cpu", "wasm"]) {
    assert.equal((await startBackend({ name })).name, name);
    const sum = tf.tidy(() => tf.sum(ops.relu(tf.tensor1d([-1, 2, 3]))).dataSync()[0]);
    assert.equal(sum, 5);
  }
});

Deno.test("startBackend() refuses an unknown backend and suggests the nearest", async () => {
  await assert.rejects(startBackend({ name: "wsam" }), (error: Error) => {
    assert.ok(error instanceof UsageError);
    assert.match(error.message, /unknown backend "wsam"[^]*--backend[^]*did you mean "wasm"/);
    return true;
  });
  // A name that every object has is no backend either.
  await assert.rejects(startBackend({ name: "constructor" }), UsageError);
});

Deno.test("startBackend() says how to get a backend that does not start here", async () => {
  for (const name of ["native", "webgpu"]) {
    const outcome = await startBackend({ name }).catch((error) => error);
    if (outcome instanceof Error) {
      assert.ok(outcome instanceof UsageError, `${name}: ${outcome}`);
      assert.match(outcome.message, new RegExp(`where: --backend ${name}[^]*fix: `));
    } else {
      assert.equal(outcome.name, name);
    }
  }
  await startBackend();
});

Deno.test("portable results differ from fused ones by rounding only", async () => {
  const values: Float32Array[] = [];
  for (const portable of [false, true]) {
    await startBackend({ portable });
    const rng = stream("engine-backend/portable");
    const draw = (shape: [number, number, number, number]) =>
      tf.tensor4d(Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => rng.normal()), shape);
    values.push(tf.tidy(() => {
      const x = draw([1, 12, 12, 8]);
      const filter = draw([3, 3, 8, 8]);
      return ops.instanceNorm(ops.conv2d(x, filter, { padding: 1 })).dataSync<"float32">();
    }));
  }
  const [fused, portable] = values;
  const largest = Math.max(...fused.map((value, i) => Math.abs(value - portable[i])));
  assert.ok(largest < 2e-5, `differ by ${largest}`);
  const { arithmetic } = await startBackend();
  assert.equal(largest > 0, arithmetic === "fma");
});
