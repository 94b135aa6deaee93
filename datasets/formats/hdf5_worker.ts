/**
 * The inside of the fence around HDF5: h5wasm in a thread of its own, which `hdf5.ts` talks to and ends.
 *
 * libhdf5 has a history of crashes, endless loops and absurd allocations on malformed files. Here they meet
 * WebAssembly, whose memory is capped below, and a thread that the other side ends when it does not answer.
 */

import { parentPort } from "node:worker_threads";
import type { HdfAnswer, HdfFarewell, HdfFile, HdfQuestion } from "./hdf5.ts";
import { startLibHdf5 } from "./libhdf5.ts";
import { decodeNumbers, type NumberType, readerOf } from "./numbers.ts";
import { capWasmMemory } from "./wasm_memory.ts";

// What libhdf5 and one slice of the largest file may take.
const mostBytes = 640 * 2 ** 20;
capWasmMemory(mostBytes);

// libhdf5 reports through its error stack, which h5wasm throws; what it prints besides would only repeat it.
console.error = console.warn = console.log = () => {};

/** What libhdf5 says of a dataset's or an attribute's type and shape. */
type Metadata = ReturnType<(typeof hdf5)["get_dataset_metadata"]>;
/** As far as its type goes, which a member of a record has too. */
type TypeOf = Pick<Metadata, "type" | "size" | "signed" | "littleEndian" | "compound_type">;

// The largest text attribute or header that is read; fastMRI's headers have about 20 kB.
const mostText = 2 ** 20;

const h5wasm = await startLibHdf5();
const hdf5 = await h5wasm.ready;
hdf5.activate_throwing_error_handler();

let open: { readonly path: string; readonly id: bigint } | undefined;

function fileId(path: string): bigint {
  if (open?.path === path) return open.id;
  forget();
  const id = hdf5.open(path, hdf5.H5F_ACC_RDONLY, false, -1, -1);
  if (id < 0n) throw new Error("libhdf5 does not open it");
  open = { path, id };
  return id;
}

function forget(): void {
  if (open === undefined) return;
  const { id } = open;
  open = undefined;
  hdf5.close_file(id);
}

function inspect(path: string, datasets: readonly string[], texts: readonly string[]): HdfFile {
  const id = fileId(path);
  const names = hdf5.get_names(id, "/", false).slice(0, 1000).map(String);
  const found: Record<string, HdfFile["datasets"][string]> = {};
  for (const name of datasets.filter((name) => names.includes(name))) {
    const type = hdf5.get_type(id, name);
    if (type === hdf5.H5G_UDLINK || type === hdf5.H5G_LINK) throw new Error(`"${name}" is a link, not data`);
    if (type !== hdf5.H5G_DATASET) throw new Error(`"${name}" is not a dataset`);
    const metadata = hdf5.get_dataset_metadata(id, name);
    if (metadata.virtual_sources?.length) {
      throw new Error(`"${name}" is virtual: its data are in other files`);
    }
    found[name] = {
      shape: (metadata.shape ?? []).map(Number),
      type: numberType(metadata),
      bytesPerElement: metadata.size,
    };
  }
  const attributes: Record<string, string> = {};
  for (const name of hdf5.get_attribute_names(id, "/")) {
    if (!texts.includes(name)) continue;
    const value = text(
      hdf5.get_attribute_metadata(id, "/", name),
      () => new h5wasm.Attribute(id, "/", name).value,
    );
    if (value !== undefined) attributes[name] = value;
  }
  let header: string | undefined;
  if (names.includes("ismrmrd_header") && hdf5.get_type(id, "ismrmrd_header") === hdf5.H5G_DATASET) {
    header = text(
      hdf5.get_dataset_metadata(id, "ismrmrd_header"),
      () => new h5wasm.Dataset(id, "ismrmrd_header").value,
    );
  }
  return { names, datasets: found, attributes, header };
}

function text(metadata: Metadata, read: () => unknown): string | undefined {
  if (metadata.type !== hdf5.H5T_class_t.H5T_STRING.value) return undefined;
  if (!metadata.vlen && metadata.size > mostText) return undefined;
  if ((metadata.shape ?? []).reduce((product, extent) => product * Number(extent), 1) !== 1) return undefined;
  const value = read();
  const one = Array.isArray(value) ? value[0] : value;
  return typeof one === "string" ? one.slice(0, mostText) : undefined;
}

/** The type of a dataset's numbers; undefined where they are none that we read. */
function numberType(metadata: TypeOf): NumberType | undefined {
  const classes = hdf5.H5T_class_t;
  const { type, size: bytes, signed, littleEndian } = metadata;
  if (type === classes.H5T_FLOAT.value && (bytes === 4 || bytes === 8)) {
    return { kind: "float", bytes, littleEndian };
  }
  // A boolean is an enumeration of bytes to h5py, and a bit field to others.
  const isInteger = type === classes.H5T_INTEGER.value || type === classes.H5T_ENUM.value ||
    type === classes.H5T_BITFIELD.value;
  if (isInteger && [1, 2, 4, 8].includes(bytes)) {
    return { kind: signed ? "signed" : "unsigned", bytes, littleEndian };
  }
  if (type === classes.H5T_COMPOUND.value) {
    const members = metadata.compound_type?.members ?? [];
    const [real, imaginary] = members;
    const half = bytes / 2;
    const isComplex = members.length === 2 && members.every((member) =>
      member.type === classes.H5T_FLOAT.value && member.size === half &&
      member.littleEndian === real.littleEndian &&
      (member.shape ?? []).length === 0
    ) && (half === 4 || half === 8) && real.offset === 0 && imaginary.offset === half &&
      /^r/i.test(real.name) && /^i/i.test(imaginary.name);
    if (isComplex) {
      return { kind: "complex", bytes, littleEndian: real.littleEndian };
    }
  }
  return undefined;
}

function read(path: string, name: string, offset: readonly number[], count: readonly number[]): Float32Array {
  const id = fileId(path);
  const metadata = hdf5.get_dataset_metadata(id, name);
  const type = numberType(metadata);
  if (type === undefined) throw new Error(`"${name}" does not hold numbers`);
  const shape = (metadata.shape ?? []).map(Number);
  const fits = shape.length === count.length &&
    shape.every((extent, axis) =>
      offset[axis] >= 0 && count[axis] >= 0 && offset[axis] + count[axis] <= extent
    );
  if (!fits) throw new Error(`"${name}" has no such part`);
  const bytes = count.reduce((product, extent) => product * extent, metadata.size);
  // h5wasm's own slice() makes an array of every compound value; the raw bytes cost neither its time nor its memory.
  const pointer = bytes < mostBytes ? hdf5._malloc(bytes) : 0;
  if (!pointer) throw new Error(`${Math.ceil(bytes / 2 ** 20)} MB at once are more than HDF5 gets here`);
  try {
    // A chunk that was never written leaves the buffer alone where the file defines no fill value.
    hdf5.HEAPU8.fill(0, pointer, pointer + bytes);
    const big = (values: readonly number[]) => values.map(BigInt);
    const status = hdf5.get_dataset_data(
      id,
      name,
      big(count),
      big(offset),
      big(count.map(() => 1)),
      BigInt(pointer),
    );
    if (status < 0) throw new Error(`"${name}" cannot be read`);
    return decodeNumbers(hdf5.HEAPU8.subarray(pointer, pointer + bytes), type);
  } finally {
    hdf5._free(pointer);
  }
}

/** Columns of a table of records, read some rows at a time. */
function columns(path: string, name: string, wanted: readonly string[]): Float64Array[] {
  const id = fileId(path);
  if (!hdf5.get_names(id, "/", false).includes(name)) throw new Error(`there is no dataset "${name}"`);
  if (hdf5.get_type(id, name) !== hdf5.H5G_DATASET) throw new Error(`"${name}" is not a dataset`);
  const metadata = hdf5.get_dataset_metadata(id, name);
  const members = metadata.compound_type?.members;
  const shape = (metadata.shape ?? []).map(Number);
  if (members === undefined || shape.length !== 1) throw new Error(`"${name}" is no table of records`);
  const parts = wanted.map((column) => {
    const member = members.find((member) => member.name === column);
    if (member === undefined) {
      const known = members.map((member) => member.name).join(", ");
      throw new Error(`"${name}" has no column "${column}"; it has ${known}`);
    }
    const type = numberType(member);
    if (type === undefined || type.kind === "complex") throw new Error(`column "${column}" holds no numbers`);
    return { type, offset: member.offset };
  });
  const [rows] = shape;
  if (rows * 8 * wanted.length > mostBytes) throw new Error(`"${name}" has ${rows} rows, which is too many`);
  const output = wanted.map(() => new Float64Array(rows));
  const atOnce = Math.max(1, Math.floor(2 ** 22 / metadata.size));
  const pointer = hdf5._malloc(atOnce * metadata.size);
  if (!pointer) throw new Error("there is no memory for a part of the table");
  try {
    for (let from = 0; from < rows; from += atOnce) {
      const count = Math.min(atOnce, rows - from);
      const status = hdf5.get_dataset_data(
        id,
        name,
        [BigInt(count)],
        [BigInt(from)],
        [1n],
        BigInt(pointer),
      );
      if (status < 0) throw new Error(`"${name}" cannot be read`);
      parts.forEach(({ type, offset }, column) => {
        const view = new DataView(hdf5.HEAPU8.buffer, pointer + offset, count * metadata.size - offset);
        const read = readerOf(view, type);
        for (let row = 0; row < count; row++) output[column][from + row] = read(row * metadata.size);
      });
    }
  } finally {
    hdf5._free(pointer);
  }
  return output;
}

parentPort!.on("message", (question: HdfQuestion | HdfFarewell) => {
  if (question.ask === "forget") return forget();
  let answer: HdfAnswer;
  const transfer: ArrayBuffer[] = [];
  try {
    if (question.ask === "inspect") {
      answer = { file: inspect(question.path, question.datasets, question.texts) };
    } else if (question.ask === "columns") {
      answer = { columns: columns(question.path, question.dataset, question.columns) };
    } else {
      const values = read(question.path, question.dataset, question.offset, question.count);
      transfer.push(values.buffer as ArrayBuffer);
      answer = { values };
    }
  } catch (error) {
    answer = { error: error instanceof Error ? error.message : String(error) };
  }
  parentPort!.postMessage(answer, transfer);
});
parentPort!.postMessage({ ready: true });
