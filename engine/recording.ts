/**
 * A computation of the backend `wasm` as a list of calls that can be done again.
 *
 * **Mental model.** While it is recorded, every call into our modules is noted with its numbers, and no
 * memory is given back to the heap: what the computation frees waits among the recording's own blocks, where
 * what it allocates next is taken from. So the noted pointers stay right for as long as the recording lives,
 * and it holds no more than the computation's peak. {@linkcode Recording.replay} fetches the inputs anew,
 * makes the calls again and hands out the outputs: no tape, no tensors, no allocations in between.
 *
 * What else the computation depends on, variables and constants from before it, is checked before each replay
 * ({@linkcode Recording.isCurrent}). It does not decide when to record or to replay: that is `replay.ts`.
 */

import * as tf from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { explain } from "../core/errors.ts";
import { sameShape, sizeOf } from "../core/image.ts";
import { aside, type Call, type Emscripten, follow, type Stored, Trace } from "./trace.ts";

/** A block that a tensor is copied into or out of. */
interface Port {
  readonly block: number;
  readonly shape: readonly number[];
}

type Input = Port & { readonly fetch: () => tf.Tensor };
type Output = Port & { readonly take: (copy: tf.Tensor) => void };

/** Memory that the recordings of one computation share, since they are never replayed at once. */
export class Blocks {
  readonly #heap: Emscripten;
  readonly #bytes = new Map<number, number>();
  readonly #users = new Map<number, number>();

  /** No blocks yet. */
  constructor(backend: BackendWasm) {
    this.#heap = backend.wasm as unknown as Emscripten;
  }

  /** All blocks by size. */
  bySize(): Map<number, number[]> {
    const spare = new Map<number, number[]>();
    for (const [block, bytes] of this.#bytes) {
      const list = spare.get(bytes);
      if (list === undefined) spare.set(bytes, [block]);
      else list.push(block);
    }
    return spare;
  }

  /** One recording more uses this block. */
  share(block: number, bytes: number): void {
    this.#bytes.set(block, bytes);
    this.#users.set(block, (this.#users.get(block) ?? 0) + 1);
  }

  /** A tensor lives in this block, which is not ours to free any more. */
  forget(block: number): void {
    this.#users.delete(block);
    this.#bytes.delete(block);
  }

  /** One recording less uses it; without any it is freed. */
  release(block: number): void {
    if (!this.#users.has(block)) return;
    const users = this.#users.get(block)! - 1;
    this.#users.set(block, users);
    if (users > 0) return;
    this.#users.delete(block);
    this.#bytes.delete(block);
    this.#heap._free(block);
  }
}

/** One recorded computation. Dispose it when done. */
export class Recording extends Trace implements Disposable {
  readonly #backend: BackendWasm;
  readonly #heap: Emscripten;
  readonly #shared: Blocks;
  readonly #calls: { readonly call: Call; readonly values: readonly number[] }[] = [];
  readonly #inputs: Input[] = [];
  readonly #outputs: Output[] = [];
  /** Blocks that tensors live in at this moment, and their bytes. */
  readonly #live = new Map<number, number>();
  /** Blocks that were freed and may be taken again, by size. */
  readonly #spare: Map<number, number[]>;
  /** Blocks for what must not be written over: constants, inputs and outputs. */
  readonly #fixed = new Set<number>();
  readonly #used = new Map<number, number>();
  /** Data from before the recording that calls point to, and where it is. */
  readonly #foreign = new Map<tf.DataId, number>();
  readonly #variables = new Map<tf.Variable, tf.DataId>();
  /** Data that is written in place. */
  readonly #written = new Set<tf.DataId>();
  #spoilt = false;
  /** Whether what is allocated will be a constant, which no earlier call may write into. */
  #fresh = false;

  /** Nothing yet; {@linkcode record} fills it. */
  constructor(backend: BackendWasm, shared: Blocks) {
    super();
    this.#backend = backend;
    this.#heap = backend.wasm as unknown as Emscripten;
    this.#shared = shared;
    this.#spare = shared.bySize();
  }

  /** Whether it may be replayed at all. */
  get replayable(): boolean {
    return !this.#spoilt;
  }

  // What kernels and the heap tell.

  override call(call: Call, values: readonly number[]): void {
    this.#calls.push({ call, values });
  }

  override use(tensor: tf.TensorInfo, { memoryOffset }: Stored): void {
    if (!this.#live.has(memoryOffset)) this.#foreign.set(tensor.dataId, memoryOffset);
    if (tensor instanceof tf.Variable) this.#variables.set(tensor, tensor.dataId);
  }

  override write(variable: tf.TensorInfo): void {
    this.#written.add(variable.dataId);
  }

  override spoil(): void {
    this.#spoilt = true;
  }

  override upload(write: () => tf.DataId, values: ArrayBufferView, shape: readonly number[]): tf.DataId {
    this.#fresh = true;
    const dataId = super.upload(write, values, shape);
    this.#fresh = false;
    this.#fixed.add((this.#backend.dataIdMap.get(dataId) as unknown as Stored).memoryOffset);
    return dataId;
  }

  override allocate(bytes: number): number {
    const spare = this.#fresh ? undefined : this.#spare.get(bytes)?.pop();
    const block = spare ?? this.#heap._malloc(bytes) >>> 0; // signed beyond 2 GB
    this.#live.set(block, bytes);
    return block;
  }

  override release(block: number): boolean {
    const bytes = this.#live.get(block);
    if (bytes === undefined) return false; // from before the recording, or made aside
    this.#live.delete(block);
    this.#used.set(block, bytes);
    if (this.#fixed.has(block)) return true;
    const spare = this.#spare.get(bytes);
    if (spare === undefined) this.#spare.set(bytes, [block]);
    else spare.push(block);
    return true;
  }

  // What enters and leaves.

  /** What is fetched is copied, so that the calls find it in the same place each time. */
  override input(fetch: () => tf.Tensor): tf.Tensor {
    const { block, shape } = aside(() =>
      tf.tidy(() => {
        const fetched = fetch();
        const block = this.#heap._malloc(4 * fetched.size) >>> 0;
        this.#copy(this.#where(fetched), block, fetched.size);
        return { block, shape: fetched.shape };
      })
    );
    this.lines.push(`input [${shape}]`);
    this.#inputs.push({ block, shape, fetch });
    this.#live.set(block, 4 * sizeOf(shape));
    this.#fixed.add(block);
    return tf.engine().makeTensorFromTensorInfo(this.#backend.makeOutput([...shape], "float32", block));
  }

  /** What is handed out is a copy, made of one that no later call writes over. */
  override output(tensor: tf.Tensor, copyValues: Call, take: (copy: tf.Tensor) => void): void {
    const block = aside(() => this.#heap._malloc(4 * tensor.size)) >>> 0;
    this.#used.set(block, 4 * tensor.size);
    this.#fixed.add(block);
    copyValues(this.#where(tensor), block, tensor.size); // notes itself
    const output = { block, shape: tensor.shape, take };
    this.#outputs.push(output);
    aside(() => take(this.#copyOf(output)));
  }

  // Once it is complete.

  /**
   * Settles what belongs to it, when the computation is over and its tensors are disposed.
   *
   * @throws {TypeError} where the computation gave a variable new memory instead of writing it in place, or
   * keeps a tensor.
   */
  settle(): void {
    for (const [dataId] of this.#foreign) {
      if (this.#backend.dataIdMap.has(dataId)) continue;
      throw new TypeError(explain({
        what: "a variable that was used was given new memory, where a replay would not find it",
        where: "a training step",
        fix: "use assign() of engine/assign.ts instead of variable.assign()",
      }));
    }
    if (this.#live.size > 0) {
      throw new TypeError(explain({
        what: "a tensor outlives the computation that made it, whose memory the next one will write over",
        where: "a training step",
        fix: "hand it out by output(), or make what is kept in aside() (engine/replay.ts)",
      }));
    }
  }

  /** Takes possession of the blocks that nobody else holds. What still lives belongs to its tensors. */
  own(): void {
    for (const block of this.#live.keys()) this.#shared.forget(block);
    for (const [block, bytes] of this.#used) {
      if (this.#live.has(block)) this.#used.delete(block); // freed, and taken again by what lives on
      else if (!this.#fixed.has(block)) this.#shared.share(block, bytes);
    }
  }

  /**
   * Whether everything that its calls point to is still where it was, and what they write is nobody else's.
   */
  isCurrent(): boolean {
    const { dataIdMap } = this.#backend;
    for (const [dataId, offset] of this.#foreign) {
      if (!dataIdMap.has(dataId)) return false;
      if ((dataIdMap.get(dataId) as unknown as Stored).memoryOffset !== offset) return false;
    }
    for (const [variable, dataId] of this.#variables) {
      if (variable.isDisposed || variable.dataId !== dataId) return false;
    }
    for (const dataId of this.#written) {
      if ((dataIdMap.get(dataId) as unknown as Stored).refCount > 1) return false;
    }
    return true;
  }

  /** Does it again. */
  replay(): void {
    for (const { block, shape, fetch } of this.#inputs) {
      tf.tidy(() => {
        const fetched = fetch();
        if (!sameShape(fetched.shape, shape)) {
          throw new RangeError(explain({
            what: `an input of shape [${shape}] is now [${fetched.shape}]`,
            where: "a training step",
            fix: "let the step's key tell the two apart",
          }));
        }
        this.#copy(this.#where(fetched), block, fetched.size);
      });
    }
    for (const { call, values } of this.#calls) call(...values);
    for (const output of this.#outputs) output.take(this.#copyOf(output));
  }

  /** Gives its memory back. */
  [Symbol.dispose](): void {
    for (const block of this.#used.keys()) {
      if (this.#fixed.has(block)) this.#heap._free(block);
      else this.#shared.release(block);
    }
    this.#used.clear();
  }

  #where(tensor: tf.Tensor): number {
    if (tensor.isDisposed) {
      throw new TypeError(explain({
        what: "an input is a tensor that was disposed",
        where: "a training step",
        fix:
          "let `fetch` look up the tensor of this run, not close over the one of the run that was recorded",
      }));
    }
    return (this.#backend.dataIdMap.get(tensor.dataId) as unknown as Stored).memoryOffset;
  }

  #copy(from: number, to: number, size: number): void {
    this.#heap.HEAPU8.copyWithin(to, from, from + 4 * size); // a new view each time: the heap may have grown
  }

  #copyOf({ block, shape }: Port): tf.Tensor {
    const copy = this.#backend.makeOutput([...shape], "float32");
    const { memoryOffset } = this.#backend.dataIdMap.get(copy.dataId) as unknown as Stored;
    this.#copy(block, memoryOffset, sizeOf(shape));
    return tf.engine().makeTensorFromTensorInfo(copy);
  }
}

/**
 * Runs `compute` while `recording` is told what it does. A recording of what throws is disposed; others that
 * share its blocks must be, too, since a tensor that was left behind may live in one.
 */
export function record(recording: Recording, compute: () => void): void {
  try {
    follow(recording, compute);
    recording.settle();
    recording.own();
  } catch (error) {
    recording.own();
    recording[Symbol.dispose]();
    throw error;
  }
}
