/**
 * JPEG 2000 and JPEG-LS, decoded by OpenJPEG and CharLS behind a fence.
 *
 * Both are large programs compiled to WebAssembly (`codecs_worker.ts`): on a malformed stream they may take what time
 * and memory they like, in a thread that is ended when it takes too long.
 */

import { Fence } from "./fence.ts";

/** What can be decoded here. */
export type Codec = "JPEG 2000" | "JPEG-LS";

/** A decoded picture of one component. */
export interface DecodedPicture {
  readonly width: number;
  readonly height: number;
  readonly bits: number;
  /** As the host stores them: one byte a sample up to 8 bits, else two. */
  readonly samples: Uint8Array;
}

/** What the thread is asked. */
export interface CodecQuestion {
  readonly codec: Codec;
  readonly bytes: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** What it answers. */
export interface CodecAnswer {
  readonly picture?: DecodedPicture;
  readonly error?: string;
}

// A picture of 512 x 512 takes a twentieth of a second.
const seconds = (pixels: number) => 4 + pixels / 2e5;

let fence: Fence<CodecQuestion, CodecAnswer> | undefined;

/**
 * Decodes a picture that must be `width` x `height`, and that was coded without loss.
 *
 * @throws {SyntaxError} where it is not, or cannot be decoded, with the codec's reason.
 */
export async function decodePicture(
  codec: Codec,
  bytes: Uint8Array,
  width: number,
  height: number,
): Promise<DecodedPicture> {
  fence ??= new Fence(new URL("./codecs_worker.ts", import.meta.url));
  try {
    const { picture } = await fence.ask({ codec, bytes, width, height }, seconds(width * height));
    return picture!;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SyntaxError(`the ${codec} stream cannot be decoded: ${reason}`, { cause });
  }
}
