import assert from "node:assert/strict";
import { startBackend } from "../engine/backend.ts";

/** The hash of the weights of a small training in a process of its own. */
async function train(v8Flags: string[], args: string[] = []): Promise<string> {
  const flags = v8Flags.length > 0 ? [`--v8-flags=${v8Flags.join(",")}`] : [];
  const program = new URL("engine_small_training.ts", import.meta.url).pathname;
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "-q", ...flags, program, ...args],
  });
  const { success, stdout, stderr } = await command.output();
  const [out, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert.ok(success, errors);
  assert.match(out, /^[0-9a-f]{64}\n$/);
  return out.trim();
}

Deno.test("the same training gives the same bits in every process and on every tier of V8", async () => {
  const expected = await train([]);
  assert.equal(await train([]), expected, "a second process");
  assert.equal(await train([], ["--tape"]), expected, "every step on the tape");
  assert.equal(await train(["--liftoff-only"]), expected, "the baseline compiler alone");
  assert.equal(await train(["--no-liftoff"]), expected, "the optimising compiler alone");
  assert.equal(await train(["--no-wasm-dynamic-tiering", "--wasm-tier-up"]), expected, "tiering up at once");
});

Deno.test("the portable training gives bits of its own, as stable", async () => {
  const expected = await train([], ["--portable"]);
  const { arithmetic } = await startBackend();
  assert.equal(expected === await train([]), arithmetic === "muladd");
  assert.equal(await train(["--liftoff-only"], ["--portable"]), expected);
  assert.equal(await train(["--no-liftoff"], ["--portable"]), expected);
});

Deno.test({
  name: "a processor without fused multiply-add gets the portable bits by itself",
  ignore: Deno.build.arch !== "x86_64", // the flag that hides the instruction exists there only
  async fn() {
    assert.equal(await train(["--no-enable-fma3"]), await train([], ["--portable"]));
  },
});
