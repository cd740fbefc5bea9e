"""Writes test/golden/detection/coco.json: random cases with pycocotools' figures.

    pip install pycocotools && python test/oracle/coco_golden.py
"""

import pathlib

import numpy as np

import coco_figures

OUT = pathlib.Path(__file__).resolve().parent.parent / "golden" / "detection" / "coco.json"
AREAS = [1023, 1024, 1025, 9215, 9216, 9217]


def near(rng, box):
    moved = np.array(box) + rng.choice([0, 0, 0, 1, -1, 2, -3, 6], 4)
    return [int(v) for v in [*moved[:2], *np.maximum(moved[2:], 1)]]


def anywhere(rng):
    sides = rng.choice([8, 16, 31, 32, 33, 64, 95, 96, 97, 120, 144], 2)
    return [int(v) for v in [*rng.integers(0, 200, 2), *sides]]


def case(seed):
    rng = np.random.default_rng(seed)
    crowded = seed % 8 == 7  # more detections than are looked at
    images = [int(v) for v in rng.permutation(40)[: 2 if crowded else rng.integers(1, 7)] + 1]
    categories = [int(v) for v in rng.permutation(90)[: rng.integers(1, 5)] + 1]
    first = 0 if seed % 5 == 0 else 1
    objects = []
    for i in range(int(rng.integers(1, 25))):
        box = near(rng, objects[-1][3:7]) if objects and rng.random() < 0.2 else anywhere(rng)
        area = int(rng.choice(AREAS)) if rng.random() < 0.3 else box[2] * box[3]
        # The last category stays without objects in some cases.
        known = categories[:-1] if seed % 3 == 0 and len(categories) > 1 else categories
        objects.append([first + i, int(rng.choice(images)), int(rng.choice(known)), *box, area, int(rng.random() < 0.15)])
    detections = []
    for _ in range(600 if crowded else int(rng.integers(5, 60))):
        score = float(rng.choice([0.1, 0.5, 0.5, 0.9])) if rng.random() < 0.4 else round(float(rng.random()), 3)
        if rng.random() < 0.7:
            chosen = objects[int(rng.integers(len(objects)))]
            detections.append([chosen[1], chosen[2], score, *near(rng, chosen[3:7])])
        else:
            detections.append([int(rng.choice(images)), int(rng.choice(categories)), score, *anywhere(rng)])
    return dict(images=images, categories=categories, objects=objects, detections=detections)


def figures(example, only):
    annotations = [
        dict(id=o[0], image_id=o[1], category_id=o[2], bbox=o[3:7], area=o[7], iscrowd=o[8]) for o in example["objects"]
    ]
    found = [dict(image_id=d[0], category_id=d[1], score=d[2], bbox=d[3:7]) for d in example["detections"]]
    return coco_figures.evaluate("bbox", [dict(id=i) for i in example["images"]], example["categories"], annotations, found, only)


if __name__ == "__main__":
    coco_figures.write(OUT, map(case, range(48)), figures)
