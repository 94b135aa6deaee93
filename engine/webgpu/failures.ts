/**
 * Failures of a WebGPU device, made loud: a device tells of them aside, and what TensorFlow.js then reads are zeros.
 */

import { DeviceError } from "../../core/errors.ts";
import { outOfMemory } from "../out_of_memory.ts";
import type { WebGpuBackend } from "./program.ts";

const heard = new WeakSet<object>();

/**
 * Lets a buffer that the device cannot bind throw, and whatever else fails on the device end the process, with words: nobody
 * catches what is thrown for that, unless it listens for what nobody catches. Does nothing the second time.
 */
export function hearFailures({ device }: WebGpuBackend): void {
  if (heard.has(device)) return;
  heard.add(device);
  const most = device.limits.maxStorageBufferBindingSize;
  const create = device.createBuffer.bind(device);
  device.createBuffer = (wanted) => {
    if (wanted.size <= most) return create(wanted);
    throw outOfMemory(
      "webgpu",
      `a tensor of ${megabytes(wanted.size)}, where it takes ${megabytes(most)} at the most`,
    );
  };
  device.addEventListener("uncapturederror", ({ error }) => {
    if (error.constructor.name === "GPUOutOfMemoryError") throw outOfMemory("webgpu", error.message);
    throw failed(`the graphics device failed: ${error.message}`);
  });
  device.lost.then(({ reason, message }) => {
    // Whoever destroys it means to.
    if (reason !== "destroyed") throw failed(`the graphics device was lost: ${message || "nobody says why"}`);
  });
}

function failed(what: string): DeviceError {
  return new DeviceError({
    what,
    where: "--backend webgpu",
    fix: "use --backend wasm, and report this with the name of the device and its driver",
  });
}

const megabytes = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MB`;
