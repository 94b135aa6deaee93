/** A cap on the memory that WebAssembly gets in this thread. */

/**
 * From now on no WebAssembly memory of this thread grows beyond `mostBytes`; its malloc fails there, as on a machine
 * without memory.
 */
export function capWasmMemory(mostBytes: number): void {
  const grow = WebAssembly.Memory.prototype.grow;
  WebAssembly.Memory.prototype.grow = function (pages: number): number {
    if (this.buffer.byteLength + pages * 65536 > mostBytes) {
      throw new RangeError("beyond the memory that it gets here");
    }
    return grow.call(this, pages);
  };
}
