"""pycocotools' figures of the cases of coco_golden.py and coco_masks_golden.py, and how cases are written."""

import contextlib
import io
import json

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def evaluate(kind, images, categories, annotations, detections, only=None):
    """The twelve figures of boxes ("bbox") or masks ("segm"), of `only` these categories. Changes what it is given."""
    truth = COCO()
    truth.dataset = dict(info={}, images=images, categories=[dict(id=c) for c in categories], annotations=annotations)
    truth.createIndex()
    evaluation = COCOeval(truth, truth.loadRes(detections), kind)
    if only is not None:
        evaluation.params.catIds = only
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return [float(v) for v in evaluation.stats]


def write(file, examples, figures):
    """`examples` with what `figures(example, categories or None)` says of them, over all and by category."""
    rows = []
    for example in examples:
        with contextlib.redirect_stdout(io.StringIO()):
            stats = figures(example, None)
            classes = {c: figures(example, [c]) for c in example["categories"]}
        rows.append(json.dumps(dict(example, stats=stats, classes=classes), separators=(",", ":")))
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("[\n" + ",\n".join(rows) + "\n]\n")
