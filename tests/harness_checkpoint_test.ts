import { deepStrictEqual, match, ok, rejects, strictEqual, throws } from "node:assert/strict";
import { stream } from "../core/random.ts";
import { type Checkpoint, Checkpoints, decodeCheckpoint, encodeCheckpoint } from "../harness/checkpoint.ts";
import { inFolder } from "./commands_running.ts";

function checkpoint(update: number): Checkpoint {
  const rng = stream(`checkpoint/${update}`);
  return {
    of: "a job",
    update,
    log: [{ update: 1, values: { loss: 1 / 3 } }],
    sums: { loss: 0.1 + 0.2 },
    since: 2,
    seconds: 1.5,
    dealer: { decks: [{ left: [0, 2], queue: [[2, "both"]], epoch: 3 }], cutters: [rng.state()] },
    learner: {
      arrays: [Float32Array.from({ length: 5 }, () => rng.normal()), new Float32Array(0)],
      rest: [{ steps: update, rng: { words: [...rng.state().words], spare: null } }],
    },
  };
}

const without = ({ of: _, ...rest }: Checkpoint) => rest;

Deno.test("a checkpoint is read back as it was written, to the last bit", () => {
  const one = checkpoint(7);
  deepStrictEqual(decodeCheckpoint(encodeCheckpoint(one), "memory"), one);
});

Deno.test("a checkpoint of which any byte is changed or missing is refused", () => {
  const bytes = encodeCheckpoint(checkpoint(1));
  const rng = stream("damage");
  for (let i = 0; i < 200; i++) {
    const damaged = bytes.slice();
    damaged[rng.integer(bytes.length)] ^= 1 + rng.integer(255);
    throws(() => decodeCheckpoint(damaged, "here"), /cannot use a checkpoint[^]*here/);
    throws(() => decodeCheckpoint(bytes.subarray(0, rng.integer(bytes.length)), "here"), SyntaxError);
  }
});

Deno.test("of two checkpoints the newest that can be used is used, and the other is named", async () => {
  await inFolder(async (folder) => {
    const checkpoints = new Checkpoints(`${folder}/deep/one`, "a job");
    strictEqual(await checkpoints.read(() => {}), undefined);
    for (const update of [1, 2, 3]) await checkpoints.write(without(checkpoint(update)));
    deepStrictEqual(await checkpoints.read(() => {}), checkpoint(3));

    const bytes = await Deno.readFile(`${folder}/deep/one.checkpoint`);
    await Deno.writeFile(`${folder}/deep/one.checkpoint`, bytes.subarray(0, bytes.length / 2));
    const told: string[] = [];
    deepStrictEqual(await checkpoints.read((reason) => told.push(reason)), checkpoint(2));
    deepStrictEqual(told.length, 2);
    match(told[0], /cannot use a checkpoint: its bytes[^]*where: .*one\.checkpoint\n/);
    match(told[1], /^it goes on after update 2, from the one before: .*one\.checkpoint\.before$/);

    await Deno.truncate(`${folder}/deep/one.checkpoint.before`, 100);
    told.length = 0;
    strictEqual(await checkpoints.read((reason) => told.push(reason)), undefined);
    match(told[1], /where: .*one\.checkpoint\.before\n/);
    match(told[2], /^no checkpoint is left to go on from: its training starts over$/);

    await checkpoints.remove();
    strictEqual(await checkpoints.read(() => {}), undefined);
  });
});

Deno.test("a checkpoint in the place of a damaged one leaves the good one before it", async () => {
  await inFolder(async (folder) => {
    const checkpoints = new Checkpoints(`${folder}/one`, "a job");
    for (const update of [1, 2]) await checkpoints.write(without(checkpoint(update)));
    await Deno.truncate(`${folder}/one.checkpoint`, 100);
    deepStrictEqual(await checkpoints.read(() => {}), checkpoint(1));

    await checkpoints.write(without(checkpoint(3)));
    await Deno.truncate(`${folder}/one.checkpoint`, 100);
    deepStrictEqual(await checkpoints.read(() => {}), checkpoint(1));
    for (const update of [4, 5]) await checkpoints.write(without(checkpoint(update)));
    await Deno.truncate(`${folder}/one.checkpoint`, 100);
    deepStrictEqual(await checkpoints.read(() => {}), checkpoint(4));
  });
});

Deno.test("a checkpoint of another job, setting or code is left aside", async () => {
  await inFolder(async (folder) => {
    await new Checkpoints(`${folder}/one`, "a job").write(without(checkpoint(1)));
    const told: string[] = [];
    strictEqual(
      await new Checkpoints(`${folder}/one`, "other code").read((reason) => told.push(reason)),
      undefined,
    );
    match(told[0], /other settings or other code/);
  });
});

Deno.test("a checkpoint that cannot be written leaves the one before it", async () => {
  await inFolder(async (folder) => {
    const checkpoints = new Checkpoints(`${folder}/one`, "a job");
    await checkpoints.write(without(checkpoint(1)));
    await Deno.mkdir(`${folder}/one.checkpoint.before/full`, { recursive: true });
    await rejects(checkpoints.write(without(checkpoint(2))));
    ok((await checkpoints.read(() => {}))?.update === 1);
  });
});
