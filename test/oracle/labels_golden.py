"""
Average precision and F1 of independent labels, by scikit-learn 1.2: test/golden/labels/scores.json.

    python3 test/oracle/labels_golden.py
"""

import json
import pathlib

import numpy as np
from sklearn import metrics

IMAGES, LABELS = 60, 6
THRESHOLDS = [0.5, 0.3]


def main():
    random = np.random.RandomState(7)
    has = (random.rand(IMAGES, LABELS) < [0.5, 0.3, 0.1, 0.02, 0.4, 0]).astype(int)
    has[0, 3] = 1
    # Two digits: many are equal, and some are the threshold itself.
    scores = np.round(np.clip(0.25 * has + random.rand(IMAGES, LABELS) * 0.75, 0, 1), 2)
    # A label that is never said to be there.
    scores[:, 2] = np.round(scores[:, 2] * 0.25, 2)
    known = [label for label in range(LABELS) if has[:, label].any()]
    precisions = [float(metrics.average_precision_score(has[:, k], scores[:, k])) for k in known]
    golden = {
        "scores": scores.tolist(),
        "labels": [np.flatnonzero(row).tolist() for row in has],
        "known": known,
        "AP": precisions,
        "mAP": float(np.mean(precisions)),
        "at": [],
    }
    for threshold in THRESHOLDS:
        said = (scores > threshold).astype(int)
        kwargs = {"zero_division": 0}
        golden["at"].append(
            {
                "threshold": threshold,
                "micro": float(metrics.f1_score(has, said, average="micro", **kwargs)),
                "macro": float(metrics.f1_score(has, said, average="macro", labels=known, **kwargs)),
                "F1": metrics.f1_score(has, said, average=None, labels=known, **kwargs).tolist(),
                "precision": metrics.precision_score(has, said, average=None, labels=known, **kwargs).tolist(),
                "recall": metrics.recall_score(has, said, average=None, labels=known, **kwargs).tolist(),
                "error": float(1 - metrics.accuracy_score(has, said)),
            }
        )
    file = pathlib.Path(__file__).parent.parent / "golden" / "labels" / "scores.json"
    file.write_text(json.dumps(golden) + "\n")


main()
