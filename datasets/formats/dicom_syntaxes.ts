/** Transfer syntaxes of DICOM by name (PS3.5, §8 and §10; PS3.6, Annex A). */

/** How the pixels of a lossless transfer syntax are stored. */
export type PixelCoding = "plain" | "run-length" | "JPEG lossless" | "JPEG-LS" | "JPEG 2000";

const lossless: Readonly<Record<string, PixelCoding>> = {
  "1.2.840.10008.1.2": "plain",
  "1.2.840.10008.1.2.1": "plain",
  "1.2.840.10008.1.2.1.99": "plain",
  "1.2.840.10008.1.2.2": "plain",
  "1.2.840.10008.1.2.5": "run-length",
  "1.2.840.10008.1.2.4.57": "JPEG lossless",
  "1.2.840.10008.1.2.4.70": "JPEG lossless",
  "1.2.840.10008.1.2.4.80": "JPEG-LS",
  "1.2.840.10008.1.2.4.90": "JPEG 2000",
};

const others: Readonly<Record<string, string>> = {
  "1.2.840.10008.1.2.4.50": "JPEG Baseline, which loses information",
  "1.2.840.10008.1.2.4.51": "JPEG Extended, which loses information",
  "1.2.840.10008.1.2.4.81": "JPEG-LS Near-Lossless, which loses information",
  "1.2.840.10008.1.2.4.91": "JPEG 2000, which may lose information",
  "1.2.840.10008.1.2.4.110": "JPEG XL Lossless, which is not read here",
  "1.2.840.10008.1.2.4.111": "recompressed JPEG, which lost information",
  "1.2.840.10008.1.2.4.112": "JPEG XL, which may lose information",
  "1.2.840.10008.1.2.4.201": "High-Throughput JPEG 2000 Lossless, which is not read here",
  "1.2.840.10008.1.2.4.202": "High-Throughput JPEG 2000 Lossless, which is not read here",
  "1.2.840.10008.1.2.4.203": "High-Throughput JPEG 2000, which may lose information",
};

/** Whether this transfer syntax keeps every pixel as it was, and is read here. */
export function isLossless(syntax: string): boolean {
  return Object.hasOwn(lossless, syntax);
}

/** How the pixels of a lossless transfer syntax are stored. */
export function codingOf(syntax: string): PixelCoding {
  return lossless[syntax];
}

/** Whether numbers are stored with the high byte first. */
export function isBigEndian(syntax: string): boolean {
  return syntax === "1.2.840.10008.1.2.2";
}

/** What a transfer syntax that is not read is, in words. */
export function nameOfSyntax(syntax: string): string {
  if (Object.hasOwn(others, syntax)) return others[syntax];
  if (/^1\.2\.840\.10008\.1\.2\.4\.10\d$/.test(syntax)) return "MPEG video, which loses information";
  return syntax === ""
    ? "nobody knows what: it has no transfer syntax"
    : `transfer syntax ${syntax}, which is not read here`;
}
