import assert from "node:assert/strict";
import { resolve } from "node:path";
import Papa from "papaparse";
import { canonicalJson, differences, type Json, prettyJson, prettyJsonPieces } from "../core/json.ts";
import { stream } from "../core/random.ts";
import { plainName, plainPatient } from "../datasets/files.ts";
import { niftiFile } from "../datasets/formats/nifti_write.ts";
import { readNifti } from "../datasets/formats/nifti.ts";
import { keepReconstructions, readReconstructions } from "../datasets/formats/reconstructions.ts";
import { decodeCheckpoint, encodeCheckpoint } from "../harness/checkpoint.ts";
import { parseSeeds } from "../harness/configuration.ts";
import { keptBase } from "../harness/folder.ts";
import { csvField, markdownText, visible, xmlText } from "../reports/escape.ts";
import { decodeValue, encodeValue, parseRecord, recordLine } from "../results/record.ts";
import { whatDiffers } from "../results/sameness.ts";
import { inFolder } from "./commands_running.ts";
import { always, fc } from "./laws.ts";
import { record, score } from "./reports_made_run.ts";

const json = fc.jsonValue({ noUnicodeString: false }) as fc.Arbitrary<Json>;
const text = fc.string({ unit: "binary" });

Deno.test("canonicalJson() is read back as it was, and is the same text for any order of keys", () =>
  always([json, fc.dictionary(fc.string(), json)], (value, object) => {
    assert.deepEqual(JSON.parse(canonicalJson(value)), JSON.parse(JSON.stringify(value)));
    const turned = Object.fromEntries(Object.entries(object).reverse());
    assert.equal(canonicalJson(turned), canonicalJson(object));
    assert.deepEqual(differences(object, turned), []);
  }));

Deno.test("differences() of two values are none only where their texts are the same", () =>
  always([json, json], (a, b) => {
    assert.equal(differences(a, b).length === 0, canonicalJson(a) === canonicalJson(b));
  }));

Deno.test("a record is read back from its line as it was, whatever its texts and numbers", () => {
  const value = fc.oneof(
    fc.double({ noDefaultInfinity: true, noNaN: true }),
    fc.constantFrom("Inf", "-Inf", null),
  );
  const scores = fc.array(fc.tuple(fc.nat({ max: 3 }), text, text, value));
  return always(
    [text, fc.option(fc.nat()), scores, fc.dictionary(text, json), fc.array(text)],
    (...parts) => {
      const [method, seed, rows, settings, notes] = parts;
      const made = record(
        method,
        seed,
        rows.map(([metric, subject, sample, value]) => score(metric, subject, sample, value as number)),
        { settings, notes },
      );
      const line = recordLine(made);
      assert.equal(line.indexOf("\n"), line.length - 1);
      const back = parseRecord(line, "memory");
      assert.equal(recordLine(back), line);
      assert.deepEqual(whatDiffers(made, back), []);
    },
  );
});

Deno.test("a score is what it was after it was written and read, infinities too; what is no number is none", () =>
  always([fc.double()], (value) => {
    assert.equal(decodeValue(encodeValue(value)), Number.isNaN(value) ? null : value);
  }));

Deno.test("a checkpoint is read back to the last bit, NaN and negative zeros too", () => {
  const array = fc.float32Array({ maxLength: 20 });
  return always(
    [fc.array(array, { maxLength: 5 }), json, fc.dictionary(text, fc.double({ min: 0, max: 9 }))],
    (...parts) => {
      const [arrays, rest, sums] = parts;
      const dealer = { decks: [], cutters: [] };
      const learner = { arrays, rest };
      const made = { of: "a", update: 3, log: [], sums, since: 1, seconds: 2, dealer, learner };
      const bytes = encodeCheckpoint(made);
      const back = decodeCheckpoint(bytes, "memory");
      assert.deepEqual(encodeCheckpoint(back), bytes);
      assert.deepEqual(back.learner.arrays.map(bitsOf), arrays.map(bitsOf));
    },
  );
});

Deno.test("a stream that is restored goes on with the same numbers, and integers stay below their bound", () =>
  always([text, fc.integer({ min: 1, max: 2 ** 32 }), fc.nat({ max: 9 })], (name, bound, skipped) => {
    const rng = stream(name);
    for (let i = 0; i < skipped; i++) rng.normal();
    const state = rng.state();
    const draw = () => [rng.integer(bound), rng.normal(), rng.uniform()];
    const first = draw();
    rng.restore(JSON.parse(JSON.stringify(state)));
    assert.deepEqual(draw(), first);
    assert.ok(first[0] >= 0 && first[0] < bound && Number.isInteger(first[0]));
    assert.deepEqual(rng.shuffled([1, 2, 3, 4]).sort(), [1, 2, 3, 4]);
  }));

Deno.test("parseSeeds() of a list of seeds is that list, ascending", () =>
  always([fc.uniqueArray(fc.nat({ max: 999_999 }), { minLength: 2, maxLength: 20 })], (seeds) => {
    const sorted = [...seeds].sort((a, b) => a - b);
    assert.deepEqual(parseSeeds(seeds.join(",")), sorted);
    assert.deepEqual(parseSeeds(`${sorted[0]}-${sorted[0] + 5}`).length, 6);
  }));

Deno.test("no subject, patient or file is named so that its files leave the folder, or two share one", () =>
  always(
    [text, text, fc.constantFrom("..", ".", "../x", "/etc", "a/../..", "C:\\x", "\0", "con")],
    (a, b, hostile) => {
      for (const name of [a, b, hostile]) {
        const path = resolve("/run", keptBase({ method: "m", seed: 1 }, name));
        assert.ok(path.startsWith("/run/reconstructions/m/seed-1"), path);
        assert.ok(!/[/\\\0]/.test(plainName(name)) && !plainName(name).startsWith("."), plainName(name));
      }
      if (a !== b) assert.ok(plainPatient(a) !== plainPatient(b));
    },
  ));

Deno.test("texts from files stay one field of CSV without a formula, one line, and no markup", () =>
  always([text], (text) => {
    const { data } = Papa.parse(`${csvField(text)},b\n`) as { data: string[][] };
    const [field, other] = data[0];
    assert.equal(other, "b");
    assert.ok(field === visible(text) || field === `'${visible(text)}`);
    assert.ok(!/^\s*[=+@]/.test(field) || /^[+]?(\d+(\.\d+)?|Inf)$/.test(field), field);
    assert.ok(!/[<>"']/.test(xmlText(text)) && !/&(?!amp;|lt;|gt;|quot;|#39;)/.test(xmlText(text)));
    for (const shown of [visible(text), markdownText(text), xmlText(text)]) {
      assert.ok(!/\p{Cc}/u.test(shown));
    }
    assert.ok(!/(?<!\\)(\\\\)*[<>|`]/.test(markdownText(text)), markdownText(text));
  }, 400));

Deno.test("slices are read back from NIfTI and HDF5 as they were written, and give the same bytes each time", () => {
  const sides = fc.tuple(
    fc.integer({ min: 1, max: 6 }),
    fc.integer({ min: 2, max: 6 }),
    fc.integer({ min: 2, max: 6 }),
  );
  return inFolder((folder) =>
    always([sides, fc.boolean(), fc.string()], async ([count, height, width], hasTruth, name) => {
      const rng = stream(`slices ${name}`);
      const image = () => ({
        shape: [height, width, 1],
        data: Float32Array.from({ length: height * width }, () => rng.normal()),
      });
      const slices = Array.from({ length: count }, () => ({
        reconstruction: image(),
        ...(hasTruth ? { truth: image() } : {}),
      }));
      await keepReconstructions(`${folder}/a`, slices.map((slice) => ({ ...slice, channels: 2 })));
      assert.deepEqual(await readReconstructions(`${folder}/a`), slices);
      const bytes = await Deno.readFile(`${folder}/a.h5`);
      await keepReconstructions(`${folder}/a`, slices.map((slice) => ({ ...slice, channels: 2 })));
      assert.deepEqual(await Deno.readFile(`${folder}/a.h5`), bytes);

      await Deno.writeFile(`${folder}/a.nii`, niftiFile(slices.map(({ reconstruction }) => reconstruction)));
      const { values } = await readNifti(`${folder}/a.nii`);
      assert.deepEqual([...values], slices.flatMap(({ reconstruction: { data } }) => [...data]));
    }, 20)
  );
});

Deno.test("volumes are read back from HDF5 as they were written, one or several, with all digits of their pixels' size", () => {
  const sides = fc.tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 1, max: 5 }),
    fc.integer({ min: 1, max: 5 }),
  );
  const pixelNm = fc.option(
    fc.array(fc.double({ min: 1e-3, max: 1e4, noNaN: true }), { minLength: 3, maxLength: 3 }),
    { nil: undefined },
  );
  return inFolder((folder) =>
    always([sides, fc.boolean(), pixelNm], async ([count, ...extents], hasTruth, pixelNm) => {
      const rng = stream(`volumes ${extents}`);
      const volume = () => ({
        shape: [...extents, 1],
        data: Float32Array.from({ length: extents[0] * extents[1] * extents[2] }, () => rng.normal()),
      });
      const volumes = Array.from({ length: count }, () => ({
        reconstruction: volume(),
        ...(hasTruth ? { truth: volume() } : {}),
        ...(pixelNm === undefined ? {} : { pixelNm }),
      }));
      const keep = () => keepReconstructions(`${folder}/a`, volumes.map((one) => ({ ...one, channels: 1 })));
      await keep();
      assert.deepEqual(await readReconstructions(`${folder}/a`), volumes);
      const bytes = await Deno.readFile(`${folder}/a.h5`);
      await keep();
      assert.deepEqual(await Deno.readFile(`${folder}/a.h5`), bytes);
    }, 20)
  );
});

const bitsOf = (array: Float32Array) => [...new Uint32Array(array.buffer, array.byteOffset, array.length)];

Deno.test("prettyJsonPieces() are together the text of prettyJson()", () => {
  always([json], (value) => assert.equal([...prettyJsonPieces(value)].join(""), prettyJson(value)));
  const nested = { b: [1, -0.5, [], {}, [[null]]], a: { "": true, absent: undefined } } as unknown as Json;
  assert.equal([...prettyJsonPieces(nested)].join(""), prettyJson(nested));
});
