import type { Writer } from "../write.js";

/** Rows of regions grouped by their images. */
export interface RowsByImage {
  /** int64 [N, P]: the rows of each image in their order; R, one after the last, where it has fewer. */
  readonly table: string;
  /** P, the most that one has, at least 1: int64 [1]. */
  readonly most: string;
  /** x [R, ...] as [N, P, ...], with one row [1, ...] given for the places that have none. */
  gather(x: string, filler: string, suffix: string): string;
}

/**
 * Of regions [R, 5] and the number of images, int64 [1]. What each image does by itself takes P rows an image in
 * place of a mask over all rows, R = N * P, which would grow with the square of the batch. `tiles`, boolean [T, R]: in which
 * of T parts of its image a region is, maybe in several; N * T rows of the table then, in place of N.
 */
export function writeRowsByImage(w: Writer, regions: string, batch: string, tiles?: string): RowsByImage {
  // With one row of no image at the end nothing is empty, whatever R is.
  const images = w.concat([w.column(regions, 0, "image"), w.numbers([-1])], 0, "images");
  const numbers = w.unsqueeze(w.range(batch, "float32", "numbers"), [1], "numbers.column");
  const isOwn = w.step("Equal", [w.unsqueeze(images, [0], "images.row"), numbers], "is_own");
  const own = w.cast(tiles === undefined ? isOwn : writeOfTiles(w, isOwn, tiles), "float32", "own");
  const largest = w.reduce("Max", w.reduce("Sum", own, [1], "counts"), [0], "largest", true);
  const most = w.cast(w.step("Max", [largest, w.number(1)], "most.number"), "int64", "most");
  // The first row is worth the most, rows of other images nothing: the best are the own ones in their order.
  const length = w.sizeOf(images, 0);
  const worth = w.step("Sub", [w.cast(length, "float32", "length"), w.range(length, "float32", "index")], "worth");
  const best = w.top(w.step("Mul", [own, worth], "own.worth"), most, "own.first");
  const last = w.step("Sub", [length, w.ints(1)], "no_row");
  const table = w.step("Where", [w.step("Greater", [best.values, w.number(0)], "is_row"), best.indices, last], "table");
  return {
    table,
    most,
    gather: (x, filler, suffix) =>
      w.step("Gather", [w.concat([x, filler], 0, `${suffix}.filled`), table], `${suffix}.by_image`, { axis: 0 }),
  };
}

/** Of an image [N, R + 1] and of a tile [T, R]: [N * T, R + 1]. */
function writeOfTiles(w: Writer, ofImage: string, ofTile: string): string {
  const none = w.expand(w.cast(w.number(0), "bool"), [w.sizeOf(ofTile, 0), 1], "tiles.no_row");
  const tiles = w.unsqueeze(w.concat([ofTile, none], 1, "tiles"), [0], "tiles.row");
  const both = w.step("And", [w.unsqueeze(ofImage, [1], "own.images"), tiles], "own.tiles");
  return w.reshape(both, [-1, w.sizeOf(ofImage, 1)], "own.rows");
}
