/**
 * Left, top, width and height in pixels. The image's first pixel reaches from 0 to 1, so that a box round it is
 * `[0, 0, 1, 1]`; that is COCO's convention. {@link fromInclusiveCorners} converts from the older one.
 */
export type Box = readonly [x: number, y: number, width: number, height: number];
