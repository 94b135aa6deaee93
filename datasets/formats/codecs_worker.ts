/** The inside of the fence around OpenJPEG and CharLS, which `codecs.ts` talks to and ends. */

import { parentPort } from "node:worker_threads";
import { readFile } from "node:fs/promises";
import charls from "@cornerstonejs/codec-charls/decodewasmjs";
import openjpeg from "@cornerstonejs/codec-openjpeg/decodewasmjs";
import type { Codec, CodecAnswer, CodecQuestion, DecodedPicture } from "./codecs.ts";
import { capWasmMemory } from "./wasm_memory.ts";

// A picture of 4096 x 4096 in OpenJPEG takes 12 bytes a pixel and its code.
capWasmMemory(320 * 2 ** 20);

/** A decoder of either package, as far as it is used; neither declares types. */
interface Decoder {
  getEncodedBuffer(length: number): Uint8Array;
  getDecodedBuffer(): Uint8Array;
  decode(): void;
  getFrameInfo(): { width: number; height: number; bitsPerSample: number; componentCount: number };
  /** OpenJPEG's: whether the wavelet is the integer one, which loses nothing. */
  getIsReversible?(): boolean;
  /** CharLS's: by how much a sample may differ from the original. */
  getNearLossless?(): number;
  delete(): void;
}

interface Package {
  J2KDecoder?: new () => Decoder;
  JpegLSDecoder?: new () => Decoder;
  getExceptionMessage?(exception: number): string;
}

type Load = (options: object) => Promise<Package>;

const sources: Readonly<Record<Codec, { load: Load; wasm: string }>> = {
  "JPEG 2000": {
    load: openjpeg as unknown as Load,
    wasm: import.meta.resolve("@cornerstonejs/codec-openjpeg/decodewasm"),
  },
  "JPEG-LS": {
    load: charls as unknown as Load,
    wasm: import.meta.resolve("@cornerstonejs/codec-charls/decodewasm"),
  },
};

// What a codec prints is the reason for a refusal, and nothing for the terminal.
let said: string[] = [];
const print = (line: unknown) => void said.push(String(line));
console.error = console.warn = console.log = print;

const loaded = new Map<Codec, Package>();

async function packageOf(codec: Codec): Promise<Package> {
  let one = loaded.get(codec);
  if (one === undefined) {
    const { load, wasm } = sources[codec];
    one = await load({ wasmBinary: await readFile(new URL(wasm)), print, printErr: print });
    loaded.set(codec, one);
  }
  return one;
}

async function decode({ codec, bytes, width, height }: CodecQuestion): Promise<DecodedPicture> {
  const from = await packageOf(codec);
  const decoder = new (from.J2KDecoder ?? from.JpegLSDecoder)!();
  try {
    decoder.getEncodedBuffer(bytes.length).set(bytes);
    decoder.decode();
    // OpenJPEG reports what it could not decode, and hands out what it had.
    const failure = said.find((line) => line.startsWith("[ERROR]"));
    if (failure !== undefined) throw new Error(failure.replace("[ERROR] ", ""));
    const { bitsPerSample: bits, componentCount, ...is } = decoder.getFrameInfo();
    if (is.width !== width || is.height !== height || componentCount !== 1) {
      throw new Error(`it is ${is.height} x ${is.width} x ${componentCount}, the image ${height} x ${width}`);
    }
    if (decoder.getIsReversible?.() === false || (decoder.getNearLossless?.() ?? 0) !== 0) {
      throw new Error("it was coded with loss, whatever its transfer syntax says");
    }
    const samples = decoder.getDecodedBuffer().slice();
    if (samples.length !== width * height * (bits > 8 ? 2 : 1)) throw new Error("it gives too few pixels");
    return { width, height, bits, samples };
  } catch (error) {
    if (typeof error !== "number") throw error;
    throw new Error(from.getExceptionMessage?.(error) ?? "it is damaged");
  } finally {
    decoder.delete();
  }
}

parentPort!.on("message", async (question: CodecQuestion) => {
  let answer: CodecAnswer;
  said = [];
  try {
    answer = { picture: await decode(question) };
  } catch (error) {
    answer = { error: error instanceof Error ? error.message : String(error) };
  }
  parentPort!.postMessage(answer);
});
parentPort!.postMessage({ ready: true });
