"""Writes test/golden/detection/masks.json: masks as pycocotools encodes, measures, joins and compares them.

    pip install pycocotools && python test/oracle/masks_golden.py
"""

import json
import pathlib

import numpy as np
from pycocotools import mask as coco

import oracle_weights

OUT = pathlib.Path(__file__).resolve().parent.parent / "golden" / "detection" / "masks.json"

# height, width, and how many of the pixels are the object's; squares of so many pixels.
MASKS = [
    (1, 1, 0.0, 1), (1, 1, 1.0, 1), (1, 7, 0.5, 1), (7, 1, 0.5, 1), (5, 4, 0.5, 1), (13, 17, 0.1, 1), (17, 13, 0.9, 1),
    (40, 30, 0.5, 4), (64, 64, 0.3, 8), (33, 65, 0.6, 16), (480, 640, 0.2, 64), (1200, 1000, 0.02, 128), (700, 500, 1.0, 1),
    (700, 500, 0.0, 1),
]


def pixels(name, height, width, share, square):
    rows, columns = ((side - 1) // square + 1 for side in (height, width))
    chosen = oracle_weights.uniform(name, rows * columns, 0, 1).reshape(rows, columns) < share
    return chosen.repeat(square, 0).repeat(square, 1)[:height, :width]


def encoded(name, *how):
    return coco.encode(np.asfortranarray(pixels(name, *how).astype(np.uint8)))


def measured(rle):
    return dict(counts=rle["counts"].decode(), area=int(coco.area(rle)), box=[int(v) for v in coco.toBbox(rle)])


def masks():
    for index, how in enumerate(MASKS):
        name = f"mask.{index}"
        yield dict(name=name, how=how, **measured(encoded(name, *how)))


def outline(name, points, height, width, reach):
    """Points in and, by `reach` of its sides, around an image; every third of them whole, and one twice."""
    places = oracle_weights.uniform(name, 2 * points, 0, 1).astype(np.float64).reshape(points, 2)
    places = (places * (1 + 2 * reach) - reach) * [width, height]
    places[::3] = places[::3].round()
    places[-1] = places[-2]
    return [round(float(v), 2) for v in places.flatten()]


def star(name, points, height, width):
    """A simple outline round the middle."""
    lengths = oracle_weights.uniform(name, points, 0.2, 1).astype(np.float64)
    angles = np.arange(points) * 2 * np.pi / points
    x, y = width / 2 * (1 + lengths * np.cos(angles)), height / 2 * (1 + lengths * np.sin(angles))
    return [round(float(v), 2) for pair in zip(x, y) for v in pair]


def polygons():
    """Of one or several outlines, which are joined."""
    cases = [
        (10, 10, [[2, 2, 8, 2, 8, 8, 2, 8]]),
        (10, 10, [[2.5, 2.5, 7.5, 2.5, 7.5, 7.5, 2.5, 7.5]]),
        (10, 10, [[0, 0, 10, 0, 10, 10, 0, 10]]),
        (10, 10, [[-3, -3, 13, -3, 13, 13, -3, 13]]),
        (10, 10, [[1, 1, 4, 1, 4, 4, 1, 4], [3, 3, 8, 3, 8, 8, 3, 8]]),
        (10, 10, [[4, 4, 4.4, 4, 4.4, 4.4]]),
        (10, 10, [[12, 2, 18, 2, 15, 9]]),
        (6, 9, [[0.2, 0.2, 8.7, 0.4, 4.5, 5.8]]),
    ]
    for index in range(24):
        height, width = (int(v) for v in oracle_weights.uniform(f"size.{index}", 2, 5, 90))
        if index % 2:
            parts = [star(f"star.{index}.{part}", 5 + 3 * part + index, height, width) for part in range(1 + index % 3)]
        else:
            parts = [outline(f"outline.{index}.{part}", 3 + part + index % 7, height, width, 0.15 * (index % 4)) for part in range(1 + index % 3)]
        cases.append((height, width, parts))
    for height, width, parts in cases:
        rles = coco.frPyObjects(parts, height, width)
        yield dict(size=[height, width], polygons=parts, **measured(coco.merge(rles)))


def pairs():
    """Overlaps of masks of one size, which may be crowds."""
    for index in range(8):
        height, width, square = 40 + index, 50 - index, 1 + 3 * (index % 4)
        shares = [0.0, 0.05, 0.3, 0.6, 1.0]
        names = [f"pair.{index}.{share}" for share in shares]
        rles = [encoded(name, height, width, share, square) for name, share in zip(names, shares)]
        crowds = [0, 1, 0, 1, 0]
        overlaps = coco.iou(rles, rles, crowds)
        yield dict(
            size=[height, width], counts=[rle["counts"].decode() for rle in rles], crowds=crowds,
            overlaps=[[float(v) for v in row] for row in overlaps],
        )


if __name__ == "__main__":
    value = dict(masks=list(masks()), polygons=list(polygons()), pairs=list(pairs()))
    OUT.write_text(json.dumps(value, separators=(",", ":")).replace("},{", "},\n{") + "\n")
