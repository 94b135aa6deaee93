/** Starts the engine on a heap whose blocks are counted, below all that the engine puts in between. */

import * as tf from "@tensorflow/tfjs-core";
import { startBackend } from "../engine/backend.ts";

/** The heap of the backend `wasm`. */
interface Heap {
  readonly HEAPU8: Uint8Array;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
}

await import("@tensorflow/tfjs-backend-wasm");
tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", false);
await tf.setBackend("wasm");
const heap = (tf.backend() as unknown as { readonly wasm: Heap }).wasm;
heap._free(heap._malloc(16)); // Emscripten puts the functions themselves in their place at the first call
const { _malloc, _free } = heap;
let blocks = 0;
heap._malloc = (bytes) => (blocks++, _malloc(bytes));
heap._free = (pointer) => (blocks--, _free(pointer));
await startBackend();

/** Blocks of the heap that are taken. */
export function takenBlocks(): number {
  return blocks;
}

/** How large the heap is. */
export function heapBytes(): number {
  return heap.HEAPU8.byteLength;
}
