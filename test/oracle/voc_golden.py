"""Writes test/golden/detection/voc.json: random cases with the figures of Faster R-CNN's own evaluation.

    python test/oracle/voc_golden.py py-faster-rcnn/lib/datasets/voc_eval.py
"""

import json
import os
import re
import sys
import tempfile

import numpy as np

OUT = os.path.join(os.path.dirname(__file__), "..", "golden", "detection", "voc.json")
OBJECT = """<object><name>cat</name><pose>Left</pose><truncated>0</truncated><difficult>{}</difficult>
<bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax><ymax>{}</ymax></bndbox></object>"""


def voc_eval(path):
    """The function, moved from Python 2 and numpy's old names; and with a sort that keeps the order of equals."""
    text = open(path).read()
    text = text.replace("cPickle", "pickle").replace("np.bool)", "bool)").replace("np.argsort(-confidence)", "np.argsort(-confidence, kind='stable')")
    text = re.sub(r"print '[^']*'\.format\([^)]*\)\)?", "pass", text)
    text = re.sub(r"open\(cachefile, '([rw])'\)", r"open(cachefile, '\1b')", text)
    scope = {}
    exec(compile(text, path, "exec"), scope)
    return scope["voc_eval"]


def case(seed):
    rng = np.random.default_rng(seed)
    images = [int(v) for v in range(1, int(rng.integers(2, 6)))]
    objects = []
    for _ in range(int(rng.integers(2, 14))):
        x, y = rng.integers(1, 60, 2)
        w, h = rng.integers(4, 60, 2)
        objects.append([int(v) for v in [rng.choice(images), x, y, x + w, y + h, rng.random() < 0.2]])
    objects[0][5] = 0
    detections = []
    for _ in range(int(rng.integers(3, 40))):
        o = objects[int(rng.integers(len(objects)))]
        a, b = rng.choice([0, 0, 0, 1, -2, 4, -6], 4), np.array(o[1:5])
        x1, y1, x2, y2 = [int(v) for v in a + b]
        image = o[0] if rng.random() < 0.8 else int(rng.choice(images))
        detections.append([image, round(float(rng.random()), 1 if seed % 2 else 3), x1, y1, max(x1, x2), max(y1, y2)])
    # Equal scores are in the order of the images, as in our evaluation.
    detections.sort(key=lambda d: d[0])
    return dict(objects=objects, detections=detections)


def average_precision(evaluate, example, use_07):
    with tempfile.TemporaryDirectory() as folder:
        images = range(1, 10)
        for image in images:
            own = [OBJECT.format(o[5], *o[1:5]) for o in example["objects"] if o[0] == image]
            with open(f"{folder}/{image}.xml", "w") as file:
                file.write(f"<annotation>{''.join(own)}</annotation>")
        with open(f"{folder}/set.txt", "w") as file:
            file.write("\n".join(map(str, images)))
        with open(f"{folder}/det_cat.txt", "w") as file:
            for d in example["detections"]:
                file.write(" ".join(map(str, d)) + "\n")
        with np.errstate(all="ignore"):
            _, precision, average = evaluate(
                f"{folder}/det_{{}}.txt", f"{folder}/{{}}.xml", f"{folder}/set.txt", "cat", f"{folder}/cache", 0.5, use_07
            )
        # Before anything is counted its precision is 0/0, which later versions made 0.
        return None if np.isnan(precision).any() else float(average)


if __name__ == "__main__":
    evaluate = voc_eval(sys.argv[1])
    examples = []
    for seed in range(60):
        example = case(seed)
        example["voc07"] = average_precision(evaluate, example, True)
        example["voc10"] = average_precision(evaluate, example, False)
        if example["voc07"] is not None:
            examples.append(example)
    with open(OUT, "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(e, separators=(",", ":")) for e in examples) + "\n]\n")
