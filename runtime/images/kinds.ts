/** What kind of file it is, by its first bytes: a file's name may say anything. */

/** Who decodes it: the library, or a reader of ours. */
export type Decoder = "library" | "gif" | "bmp" | "pnm";

export interface Kind {
  /** As people call it. */
  readonly name: string;
  /** Absent: it is no image that is read. */
  readonly decoder?: Decoder;
  /** What can be done about one that is not read. */
  readonly remedy?: string;
}

/** How many bytes {@link kindOf} looks at, at most. */
export const HEAD_BYTES = 1024;

/** For messages. */
export const READ_KINDS = "JPEG, PNG, WebP, GIF, TIFF, BMP or PNM";

interface Mark extends Kind {
  readonly matches: (head: Buffer) => boolean;
}

/** The bytes at a position. */
function at(position: number, ...bytes: readonly string[]): Mark["matches"] {
  const marks = bytes.map((text) => Buffer.from(text, "latin1"));
  return (head) => marks.some((mark) => head.subarray(position, position + mark.length).equals(mark));
}

/** A container of MPEG's: of which brand the file is, and with which it goes. */
function brand(pattern: RegExp): Mark["matches"] {
  return (head) => {
    if (head.toString("latin1", 4, 8) !== "ftyp" || head.length < 12) return false;
    const brands = head.toString("latin1", 8, Math.min(head.length, Math.max(16, head.readUInt32BE(0))));
    return (brands.match(/.{4}/gs) ?? []).some((name) => pattern.test(name));
  };
}

const text =
  (pattern: RegExp): Mark["matches"] =>
  (head) =>
    pattern.test(head.toString("latin1").replace(/^\xef\xbb\xbf/, ""));

const CONVERT = "save it as JPEG or PNG";

/** The first that matches. */
const KINDS: readonly Mark[] = [
  { name: "JPEG", decoder: "library", matches: at(0, "\xff\xd8\xff") },
  { name: "PNG", decoder: "library", matches: at(0, "\x89PNG\r\n\x1a\n") },
  { name: "WebP", decoder: "library", matches: (head) => at(0, "RIFF")(head) && at(8, "WEBP")(head) },
  { name: "GIF", decoder: "gif", matches: at(0, "GIF87a", "GIF89a") },
  { name: "TIFF", decoder: "library", matches: at(0, "II*\0", "MM\0*", "II+\0", "MM\0+") },
  { name: "BMP", decoder: "bmp", matches: (head) => at(0, "BM")(head) && head.length > 17 && head[15] === 0 },
  { name: "PNM", decoder: "pnm", matches: text(/^P[1-6][\s#]/) },
  { name: "AVIF", remedy: CONVERT, matches: brand(/^avi[fs]$/) },
  { name: "HEIC", remedy: CONVERT, matches: brand(/^(hei[cxms]|hev[cxms]|mif1|msf1)$/) },
  { name: "a video", matches: brand(/./s) },
  { name: "JPEG XL", remedy: CONVERT, matches: at(0, "\xff\x0a", "\0\0\0\x0cJXL \r\n") },
  { name: "JPEG 2000", remedy: CONVERT, matches: at(0, "\xff\x4f\xff\x51", "\0\0\0\x0cjP  \r\n") },
  { name: "SVG", remedy: "draw it into a PNG", matches: text(/^\s*(<\?xml[^]*?|<!(--|DOCTYPE)[^]*?)?<svg[\s/>]/i) },
  { name: "PDF", remedy: "draw its pages into PNGs", matches: at(0, "%PDF") },
  { name: "PostScript", remedy: CONVERT, matches: at(0, "%!PS") },
  { name: "Photoshop's format", remedy: CONVERT, matches: at(0, "8BPS") },
  { name: "OpenEXR", remedy: CONVERT, matches: at(0, "v/1\x01") },
  { name: "Radiance HDR", remedy: CONVERT, matches: at(0, "#?RADIANCE", "#?RGBE") },
  { name: "DICOM", remedy: CONVERT, matches: at(128, "DICM") },
  { name: "an icon", remedy: CONVERT, matches: at(0, "\0\0\x01\0", "\0\0\x02\0") },
  { name: "QOI", remedy: CONVERT, matches: at(0, "qoif") },
  { name: "DDS", remedy: CONVERT, matches: at(0, "DDS ") },
  { name: "a floating-point PNM", remedy: CONVERT, matches: text(/^P[Ff7][\s#]/) },
  { name: "a NumPy array", remedy: "save its images as PNG", matches: at(0, "\x93NUMPY") },
  { name: "HDF5", matches: at(0, "\x89HDF") },
  { name: "AppleDouble, macOS's notes on another file", matches: at(0, "\0\x05\x16\x07", "\0\x05\x16\0") },
  { name: "a git-lfs pointer", remedy: "run `git lfs pull`", matches: at(0, "version https://git-lfs") },
  {
    name: "an archive",
    remedy: "unpack it",
    matches: at(0, "PK\x03\x04", "\x1f\x8b", "BZh", "\xfd7zXZ", "7z\xbc\xaf"),
  },
  { name: "a web page", remedy: "download the image itself", matches: text(/^\s*<(!doctype html|html|head|body)/i) },
  { name: "XML", matches: text(/^\s*<\?xml/) },
];

/** Undefined where the bytes begin as no kind of file that is known here. */
export function kindOf(bytes: Uint8Array): Kind | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, HEAD_BYTES));
  return KINDS.find(({ matches }) => matches(head));
}
