"""What PyTorch and torchvision make of losses: values and gradients.

Writes test/golden/training/losses.json. Predictions and targets come from oracle_weights.py.

Run by hand with Python 3, torch 1.13, torchvision and numpy:  /usr/bin/python3 test/oracle/losses_golden.py
"""

import json
import pathlib

import torch
import torch.nn.functional as F
import torchvision

import oracle_weights

FILE = pathlib.Path(__file__).resolve().parent.parent / "golden" / "training" / "losses.json"
SHAPE = [6, 5]


def values(name, low, high):
    return torch.from_numpy(oracle_weights.uniform(name, 30, low, high).reshape(SHAPE)).double()


def focal(x, target, alpha, gamma):
    return torchvision.ops.sigmoid_focal_loss(x, target, alpha, gamma, "none")


ANSWERS = values("answers", 0, 1).round()
CASES = [
    ("binary_cross_entropy", {}, ANSWERS, lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction="none")),
    ("binary_cross_entropy", {}, values("shares", 0, 1), lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction="none")),
    ("focal", {"alpha": 0.25, "gamma": 2}, ANSWERS, lambda x, t: focal(x, t, 0.25, 2)),
    ("focal", {"alpha": 0.6, "gamma": 0.5}, ANSWERS, lambda x, t: focal(x, t, 0.6, 0.5)),
    ("focal", {"alpha": 0.25, "gamma": 1.5}, values("shares", 0, 1), lambda x, t: focal(x, t, 0.25, 1.5)),
    ("focal", {"alpha": 0.5, "gamma": 0}, ANSWERS, lambda x, t: focal(x, t, 0.5, 0)),
    ("smooth_l1", {"beta": 1}, values("goals", -3, 3), lambda x, t: F.smooth_l1_loss(x, t, reduction="none", beta=1)),
    ("smooth_l1", {"beta": 1 / 9}, values("goals", -3, 3), lambda x, t: F.smooth_l1_loss(x, t, reduction="none", beta=1 / 9)),
    ("smooth_l1", {"beta": 0}, values("goals", -3, 3), lambda x, t: F.l1_loss(x, t, reduction="none")),
]


def golden(op, attributes, target, loss, count):
    x = values("predictions", -4, 4).requires_grad_()
    each = loss(x, target)
    found = each.mean() if count is None else each.sum() / max(1, count)
    found.backward()
    return {"op": op, "attributes": attributes, "target": target.flatten().tolist(), "count": count,
            "loss": float(found), "gradient": x.grad.flatten().tolist()}


def rounded(value):
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.8g}") if isinstance(value, float) else value


if __name__ == "__main__":
    found = [golden(*case, count) for case in CASES for count in ((None, 7, 0) if case[0] != "focal" else (None, 7))]
    FILE.write_text(json.dumps(rounded(found), separators=(",", ":")) + "\n")
