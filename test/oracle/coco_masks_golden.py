"""Writes test/golden/detection/coco_masks.json: random objects with masks, and pycocotools' figures of them.

    pip install pycocotools && python test/oracle/coco_masks_golden.py
"""

import copy
import pathlib

import numpy as np
from pycocotools import mask as coco

import coco_figures

OUT = pathlib.Path(__file__).resolve().parent.parent / "golden" / "detection" / "coco_masks.json"
HEIGHT, WIDTH = 120, 150


def outline(rng):
    """Round a middle, from a few pixels to most of the image."""
    points = int(rng.integers(3, 9))
    reach = rng.choice([4, 12, 18, 30, 60, 75]) * rng.uniform(0.6, 1.1, points)
    angles = np.sort(rng.uniform(0, 2 * np.pi, points))
    middle = rng.uniform(0.1, 0.9, 2) * [WIDTH, HEIGHT]
    places = middle + np.stack([reach * np.cos(angles), reach * np.sin(angles)], 1)
    return [round(float(v), 1) for v in places.flatten()]


def encoded(polygons):
    return coco.merge(coco.frPyObjects(polygons, HEIGHT, WIDTH))


def text(rle):
    return dict(size=rle["size"], counts=rle["counts"].decode())


def runs(rle):
    """The same as a list of runs, as COCO has crowds."""
    pixels = coco.decode(rle).flatten(order="F")
    ends = np.flatnonzero(np.diff(pixels)) + 1
    lengths = np.diff([0, *ends, len(pixels)]).tolist()
    return dict(size=rle["size"], counts=([0] if pixels[0] else []) + lengths)


def case(seed):
    rng = np.random.default_rng(seed)
    images, categories = list(range(1, int(rng.integers(2, 5)))), [3, 7][: 1 + seed % 2]
    objects, shapes = [], []
    for index in range(int(rng.integers(4, 9))):
        polygons = [outline(rng) for _ in range(1 + int(rng.random() < 0.25))]
        rle, crowd = encoded(polygons), int(rng.random() < 0.15)
        segmentation = runs(rle) if crowd else text(rle) if rng.random() < 0.3 else polygons
        area = int(coco.area(rle)) if rng.random() < 0.7 else int(rng.choice([1023, 1024, 1025, 9216, 9217]))
        place = [int(rng.choice(images)), int(rng.choice(categories))]
        objects.append([index + 1, *place, area, crowd, segmentation])
        shapes.append((place, polygons))
    detections = []
    for _ in range(int(rng.integers(6, 16))):
        place, polygons = shapes[int(rng.integers(len(shapes)))]
        if rng.random() < 0.8:
            moved = [[round(v + float(d), 1) for v, d in zip(part, rng.choice([0, 0, 1, -2, 4], len(part)))] for part in polygons]
        else:
            moved = [outline(rng)]
        score = float(rng.choice([0.1, 0.5, 0.9])) if rng.random() < 0.4 else round(float(rng.random()), 3)
        detections.append([*place, score, text(encoded(moved))["counts"]])
    return dict(size=[HEIGHT, WIDTH], images=images, categories=categories, objects=objects, detections=detections)


def figures(example, only):
    example = copy.deepcopy(example)
    annotations = [
        dict(id=o[0], image_id=o[1], category_id=o[2], bbox=[0, 0, 1, 1], area=o[3], iscrowd=o[4], segmentation=o[5])
        for o in example["objects"]
    ]
    found = [
        dict(image_id=d[0], category_id=d[1], score=d[2], segmentation=dict(size=[HEIGHT, WIDTH], counts=d[3]))
        for d in example["detections"]
    ]
    images = [dict(id=i, height=HEIGHT, width=WIDTH) for i in example["images"]]
    return coco_figures.evaluate("segm", images, example["categories"], annotations, found, only)


if __name__ == "__main__":
    coco_figures.write(OUT, map(case, range(16)), figures)
