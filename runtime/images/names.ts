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

/** Counts what is left out, by ending. */
export class LeftOut {
  readonly #counts = new Map<string, number>();

  add(name: string, count = 1): void {
    const ending = endingOf(name) || "no ending";
    this.#counts.set(ending, (this.#counts.get(ending) ?? 0) + count);
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** `3 files are not taken for images (2 .txt, 1 .heic)`; undefined where nothing was left out. */
  get line(): string | undefined {
    if (this.total === 0) return undefined;
    const byNumber = [...this.#counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    const shown = byNumber.slice(0, MOST_SHOWN).map(([ending, count]) => `${count} ${ending}`);
    const rest = byNumber.length > MOST_SHOWN ? ", ..." : "";
    const files = this.total === 1 ? "1 file is" : `${this.total} files are`;
    return `${files} not taken for images (${shown.join(", ")}${rest})`;
  }
}

const MOST_SHOWN = 5;
