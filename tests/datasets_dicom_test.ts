import assert from "node:assert/strict";
import dicomParser from "dicom-parser";
import { hashOfValues, survey } from "../commands/data.ts";
import { stream } from "../core/random.ts";
import { decodeRunLength } from "../datasets/formats/run_length.ts";
import { decodeLosslessJpeg } from "../datasets/formats/jpeg_lossless.ts";
import { readDicom, readDicomHeader } from "../datasets/formats/dicom.ts";
import { dicomBytes, type DicomFile, withFolder } from "./datasets_files.ts";
// Made by dicom.py with pydicom, nibabel, Pillow and libjpeg-turbo, which says how.
import golden from "./golden/dicom.json" with { type: "json" };
import { sharedExists, sharedFolder } from "./tree.ts";

const ignore = !sharedExists;
const syntaxes = `${sharedFolder}/ct/transfer_syntaxes`;

for (const [path, { shape, sha256, least, greatest }] of Object.entries(golden.slices)) {
  Deno.test({ name: `${path} has the values that pydicom finds`, ignore }, async () => {
    const { header, values } = await readDicom(`${sharedFolder}/${path}`, -1024);
    assert.deepEqual([header.height, header.width], shape);
    assert.deepEqual([values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))], [
      least,
      greatest,
    ]);
    assert.equal(hashOfValues(values), sha256);
  });
}

Deno.test({ name: "data --hash gives one hash for all nine transfer syntaxes", ignore }, async () => {
  const { hashes, refused } = await survey([syntaxes], { hash: true });
  assert.deepEqual(refused, []);
  assert.equal(hashes.length, 9);
  assert.equal(new Set(hashes.map(({ sha256 }) => sha256)).size, 1);
});

Deno.test({
  name: "a copy cut short of any transfer syntax is read rightly or refused in words",
  ignore,
  fn: () =>
    withFolder(async (folder) => {
      const whole = golden.slices["ct/transfer_syntaxes/ct_explicit_le.dcm"].sha256;
      for await (const { name } of Deno.readDir(syntaxes)) {
        const bytes = await Deno.readFile(`${syntaxes}/${name}`);
        const cuts = [1, 9, 60, 3000].map((less) => bytes.length - less);
        for (
          const length of [
            ...cuts,
            ...[0.99, 0.9, 0.5, 0.2, 0.05, 0.01].map((share) => bytes.length * share),
          ]
        ) {
          await Deno.writeFile(`${folder}/cut.dcm`, bytes.subarray(0, Math.floor(length)));
          let found: string;
          try {
            found = hashOfValues((await readDicom(`${folder}/cut.dcm`, -1024)).values);
          } catch (error) {
            assert.match((error as Error).message, /cut short[^]*\n {2}where: .*cut\.dcm\n {2}fix: /, name);
            continue;
          }
          assert.equal(found, whole, `${name} cut to ${length} of ${bytes.length} bytes`);
        }
      }
    }),
});

Deno.test({
  name: "mutations of every transfer syntax end in an image or in a worded error, never in a hang",
  ignore,
  fn: () =>
    withFolder(async (folder) => {
      const rng = stream("test/dicom-mutations");
      let loaded = 0;
      for (const name of [...Deno.readDirSync(syntaxes)].map(({ name }) => name).sort()) {
        const bytes = await Deno.readFile(`${syntaxes}/${name}`);
        for (let round = 0; round < 12; round++) {
          const mutant = bytes.slice();
          const range = round % 2 === 0 ? 3000 : mutant.length;
          for (let n = rng.integer(8); n >= 0; n--) mutant[rng.integer(range)] = rng.integer(256);
          await Deno.writeFile(`${folder}/mutant.dcm`, mutant);
          const before = performance.now();
          try {
            const { values, header } = await readDicom(`${folder}/mutant.dcm`, -1024);
            assert.ok(values.every(Number.isFinite) && values.length === header.height * header.width);
            loaded++;
          } catch (error) {
            assert.match((error as Error).message, /\n {2}where: .*mutant\.dcm\n {2}fix: /);
          }
          assert.ok(performance.now() - before < 5000, name);
        }
      }
      assert.ok(loaded > 20 && loaded < 100, `${loaded} of 108 loaded`);
    }),
});

Deno.test("lossless JPEG of every predictor, precision, point transform and restart interval gives its image", () => {
  for (const { name, stream, samples } of golden.jpeg) {
    const bytes = Uint8Array.from(atob(stream), (letter) => letter.charCodeAt(0));
    assert.deepEqual([...decodeLosslessJpeg(bytes, 7, 9).samples], samples, name);
    assert.throws(() => decodeLosslessJpeg(bytes, 9, 7), /is 9 x 7, the image 7 x 9/);
    // Without its last byte of data, which holds at least one bit of the last pixel.
    const short = bytes.slice(0, -3);
    assert.throws(() => decodeLosslessJpeg(short, 7, 9), /cut short/, name);
  }
  assert.equal(golden.jpeg.length, 42);
});

Deno.test("run-length coding: literals, runs, and a byte that says nothing, the high bytes first", () => {
  // Three pixels 0x0107, 0x0108, 0x0109 as PS3.5, Annex G, has them.
  const header = new Uint32Array(16);
  header.set([2, 64, 67]);
  const frame = Uint8Array.of(...new Uint8Array(header.buffer), 128, 254, 1, 2, 7, 8, 9, 0);
  assert.deepEqual([...decodeRunLength(frame, 3, 2)], [7, 1, 8, 1, 9, 1]);
  assert.throws(() => decodeRunLength(frame, 3, 1), /has 2 segments for 1 bytes a pixel/);
  assert.throws(() => decodeRunLength(frame, 4, 2), /damaged or cut short in segment 0/);
  assert.throws(() => decodeRunLength(frame.slice(0, 70), 3, 2), /damaged or cut short in segment 1/);
  assert.throws(() => decodeRunLength(frame.slice(0, 9), 3, 2), /has 0 segments/);
});

Deno.test({
  name: "a compressed stream that is cut short inside of a sound file is refused, whichever codec reads it",
  ignore,
  fn: () =>
    withFolder(async (folder) => {
      for (
        const name of [
          "jpeg2000_lossless",
          "jpeg_lossless_p14",
          "jpeg_lossless_sv1",
          "jpegls_lossless",
          "rle",
        ]
      ) {
        const bytes = await Deno.readFile(`${syntaxes}/ct_${name}.dcm`);
        const { fragments } = dicomParser.parseDicom(bytes).elements.x7fe00010;
        const [{ position, length }] = fragments!;
        for (const share of [0.95, 0.5, 0.01]) {
          const left = 2 * Math.floor(length * share / 2);
          const cut = bytes.slice(0, position + left + 8);
          cut.set([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0], position + left);
          new DataView(cut.buffer).setUint32(position - 4, left, true);
          await Deno.writeFile(`${folder}/cut.dcm`, cut);
          await assert.rejects(
            readDicom(`${folder}/cut.dcm`, 0),
            /pixels cannot be read: .*\n {2}where/,
            name,
          );
        }
      }
    }),
});

const plain = { rows: 2, columns: 3, stored: [0, 1, 2, 1024, 4000, 65535] };

function withFile<T>(file: DicomFile, test: (path: string) => Promise<T>): Promise<void> {
  return withFolder(async (folder) => {
    await Deno.writeFile(`${folder}/a.dcm`, dicomBytes(file));
    await test(`${folder}/a.dcm`);
  });
}

const readings: Readonly<Record<string, [DicomFile["elements"], readonly number[]]>> = {
  "unsigned pixels are rescaled": [{}, [-1024, -1023, -1022, 0, 2976, 64511]],
  "signed pixels are rescaled": [{ "00280103": 1 }, [-1024, -1023, -1022, 0, 2976, -1025]],
  "of 12 bits in 16 the others do not count": [
    { "00280101": 12, "00280102": 11 },
    [-1024, -1023, -1022, 0, 2976, 3071],
  ],
  "12 bits in 16 have their own sign": [
    { "00280101": 12, "00280102": 11, "00280103": 1 },
    [-1024, -1023, -1022, 0, -1120, -1025],
  ],
  "bits may be stored above others": [
    { "00280101": 12, "00280102": 15 },
    [-1024, -1024, -1024, -960, -774, 3071],
  ],
  "a slope that is not 1 scales": [
    { "00281053": "0.5", "00281052": "-10" },
    [-10, -9.5, -9, 502, 1990, 32757.5],
  ],
  "pixels of 8 bits are read": [
    { "00280100": 8, "00280101": 8, "00280102": 7 },
    [-1024, -1024, -1023, -1024, -1022, -1024],
  ],
  "padding is masked": [{ "00280120": 65535 }, [-1024, -1023, -1022, 0, 2976, -3000]],
  "padding may be a range, from either end": [
    { "00280120": 65535, "00280121": 1024 },
    [-1024, -1023, -1022, -3000, -3000, -3000],
  ],
};
for (const [what, [elements, expected]] of Object.entries(readings)) {
  Deno.test(`DICOM: ${what}`, () =>
    withFile({ ...plain, elements }, async (path) => {
      const { values } = await readDicom(path, -3000);
      assert.deepEqual([...values], expected);
    }));
}

const refusals: Readonly<Record<string, [Partial<DicomFile>, RegExp]>> = {
  "JPEG Baseline, by name": [{ syntax: "1.2.840.10008.1.2.4.50" }, /JPEG Baseline, which loses/],
  "JPEG 2000 that may be lossy, by name": [{ syntax: "1.2.840.10008.1.2.4.91" }, /JPEG 2000, which may lose/],
  "near-lossless JPEG-LS, by name": [{ syntax: "1.2.840.10008.1.2.4.81" }, /Near-Lossless, which loses/],
  "video, by name": [{ syntax: "1.2.840.10008.1.2.4.102" }, /MPEG video/],
  "an unknown transfer syntax": [{ syntax: "1.2.3" }, /transfer syntax 1\.2\.3, which is not read/],
  "what was compressed with loss before": [{ elements: { "00282110": "01" } }, /once compressed with loss/],
  "several frames": [{ elements: { "00280008": "12" } }, /it holds 12 frames; one image a file/],
  "colours": [{ elements: { "00280002": 3, "00280004": "RGB" } }, /RGB of 3 samples/],
  "pixels that are not there": [{ stored: [1, 2, 3] }, /2 x 3 pixels need 12 bytes, and there are 6/],
  "absurd sizes, before memory is taken": [
    { elements: { "00280010": 65535, "00280011": 65535 } },
    /65535 x 65535 pixels, more than/,
  ],
  "more bits than there are": [
    { elements: { "00280101": 17, "00280102": 16 } },
    /17 bits up to bit 16 in 16/,
  ],
  "a slope that is no number": [{ elements: { "00281053": "x" } }, /slope of "x"/],
  "fragments that are not there": [{ syntax: "1.2.840.10008.1.2.5" }, /not in fragments/],
};
for (const [what, [file, message]] of Object.entries(refusals)) {
  Deno.test(`DICOM: ${what}, is refused`, () =>
    withFile({ ...plain, ...file }, (path) =>
      assert.rejects(readDicom(path, 0), (error: Error) => {
        assert.match(error.message, message);
        assert.match(error.message, /\n {2}where: .*a\.dcm\n {2}fix: /);
        return true;
      })));
}

Deno.test("a header that is longer than what is read of it at first is found", () =>
  withFile({ ...plain, elements: { "00091001": new Array(40_000).fill(7) } }, async (path) => {
    const { height, width, patient } = await readDicomHeader(path);
    assert.deepEqual([height, width, patient], [2, 3, "somebody"]);
  }));
