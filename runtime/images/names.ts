/** Which files of a folder are taken for images, by their names: the same for every command that looks into folders. */
import path from "node:path";

/** What Windows, macOS, Linux, Synology, QNAP, Jupyter and archivers leave behind: passed over without a word. */
const LITTER = new Set(
  [
    ...["Thumbs.db", "ehthumbs.db", "desktop.ini", "$RECYCLE.BIN", "System Volume Information"],
    ...["__MACOSX", "Icon\r", "lost+found", "@eaDir", "@Recycle", "#recycle", "@Recently-Snapshot", "#snapshot"],
  ].map((name) => name.toLowerCase()),
);

/** Files and folders whose names begin with a dot (.DS_Store, ._a.jpg, .ipynb_checkpoints), and {@link LITTER}. */
export function isPassedOver(name: string): boolean {
  return name.startsWith(".") || LITTER.has(name.toLowerCase());
}

/** Of all kinds that are decoded; what is in a file is looked at when it is opened. */
export const IMAGE_ENDINGS: readonly string[] = [
  ...[".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".pjpeg", ".pjp", ".mpo", ".png", ".apng", ".webp", ".gif"],
  ...[".tif", ".tiff", ".bmp", ".dib", ".pbm", ".pgm", ".ppm", ".pnm"],
];

const ENDINGS = new Set(IMAGE_ENDINGS);

/** The ending, in small letters, with its dot; empty where there is none. */
export function endingOf(name: string): string {
  return path.extname(name).toLowerCase();
}

export function isImageName(name: string): boolean {
  return ENDINGS.has(endingOf(name));
}

/** Counts by ending. */
export type EndingCounts = Iterable<readonly [ending: string, count: number]>;

const MOST_SHOWN = 5;

/** `3 files are not taken for images (2 .txt, 1 .heic)`; undefined where there are none. */
export function leftOutLine(others: EndingCounts): string | undefined {
  const counts = new Map<string, number>();
  for (const [ending, count] of others) counts.set(ending, (counts.get(ending) ?? 0) + count);
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  const byNumber = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  const shown = byNumber.slice(0, MOST_SHOWN).map(([ending, count]) => `${count} ${ending || "without ending"}`);
  const rest = byNumber.length > MOST_SHOWN ? ", ..." : "";
  return `${total === 1 ? "1 file is" : `${total} files are`} not taken for images (${shown.join(", ")}${rest})`;
}
