/** The ten shapes: polygons round the origin that reach about 1 in every direction, y downwards. */

export type Point = readonly [x: number, y: number];

export interface Outline {
  readonly name: string;
  /** Closed lines; a place is inside where it is enclosed an odd number of times. */
  readonly lines: readonly (readonly Point[])[];
}

export const OUTLINES: readonly Outline[] = [
  {
    name: "arrow",
    lines: [
      [
        [1, 0],
        [0.15, 0.75],
        [0.15, 0.28],
        [-1, 0.28],
        [-1, -0.28],
        [0.15, -0.28],
        [0.15, -0.75],
      ],
    ],
  },
  { name: "circle", lines: [circle(0.9)] },
  { name: "crescent", lines: [[...arc(1, 0.25, 0), ...arc(0.8, 0.6, 0).reverse()]] },
  { name: "cross", lines: [cross(0.95, 0.3)] },
  {
    name: "heart",
    lines: [
      [
        [0, -0.55],
        [0.2, -0.78],
        [0.5, -0.88],
        [0.8, -0.74],
        [0.94, -0.42],
        [0.86, -0.08],
        [0.6, 0.28],
        [0.3, 0.62],
        [0, 0.95],
        [-0.3, 0.62],
        [-0.6, 0.28],
        [-0.86, -0.08],
        [-0.94, -0.42],
        [-0.8, -0.74],
        [-0.5, -0.88],
        [-0.2, -0.78],
      ],
    ],
  },
  {
    name: "hourglass",
    lines: [
      [
        [-0.75, -0.95],
        [0.75, -0.95],
        [0.12, 0],
        [0.75, 0.95],
        [-0.75, 0.95],
        [-0.12, 0],
      ],
    ],
  },
  { name: "ring", lines: [circle(0.95), circle(0.5)] },
  {
    name: "square",
    lines: [
      [
        [-0.8, -0.8],
        [0.8, -0.8],
        [0.8, 0.8],
        [-0.8, 0.8],
      ],
    ],
  },
  {
    name: "star",
    lines: [
      [
        [0, -1.05],
        [0.259, -0.357],
        [0.999, -0.324],
        [0.419, 0.136],
        [0.617, 0.849],
        [0, 0.441],
        [-0.617, 0.849],
        [-0.419, 0.136],
        [-0.999, -0.324],
        [-0.259, -0.357],
      ],
    ],
  },
  {
    name: "triangle",
    lines: [
      [
        [0, -1.05],
        [0.91, 0.525],
        [-0.91, 0.525],
      ],
    ],
  },
];

/** Points of a circle by (1 - t^2, 2t) / (1 + t^2): sine and cosine may differ between machines. */
function circle(radius: number): Point[] {
  const quarter = Array.from({ length: 6 }, (_, step): Point => {
    const t = step / 6;
    return [(radius * (1 - t * t)) / (1 + t * t), (radius * 2 * t) / (1 + t * t)];
  });
  const turned = ([x, y]: Point): Point => [-y, x];
  const second = quarter.map(turned);
  const third = second.map(turned);
  return [...quarter, ...second, ...third, ...third.map(turned)];
}

/** The part of a circle round (x, y) from straight below it over the left to straight above it. */
function arc(radius: number, x: number, y: number): Point[] {
  const points = circle(radius).map(([px, py]): Point => [px + x, py + y]);
  return points.slice(6, 19);
}

/** Two bars across each other. */
function cross(reach: number, half: number): Point[] {
  const arm: Point[] = [
    [half, -half],
    [half, -reach],
    [-half, -reach],
  ];
  const turned = ([x, y]: Point): Point => [y, -x];
  const second = arm.map(turned);
  const third = second.map(turned);
  return [...arm, ...second, ...third, ...third.map(turned)];
}
