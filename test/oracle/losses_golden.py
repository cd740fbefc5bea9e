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


def divided(each, count):
    """The mean; the sum by a number; or the mean of the images' sums, each by its own."""
    if count is None:
        return each.mean()
    if isinstance(count, list):
        return (each.flatten(1).sum(1) / torch.tensor(count).double().clamp(min=1)).mean()
    return each.sum() / max(1, count)


def golden(op, attributes, target, loss, count, mask=None):
    x = values("predictions", -4, 4).requires_grad_()
    each = loss(x, target)
    if mask is not None:
        each = each * (mask if mask.dim() == 2 else mask[:, None])
    found = divided(each, count)
    found.backward()
    made = {"op": op, "attributes": attributes, "target": target.flatten().tolist(), "count": count,
            "loss": float(found), "gradient": x.grad.flatten().tolist()}
    if mask is not None:
        made["mask"] = {"shape": list(mask.shape), "values": mask.flatten().tolist()}
    return made


# How much values count: some nothing, or whole rows.
PICKED = values("picked", 0, 1).round()
WEIGHED = values("weighed", 0, 1) * PICKED
MASKS = [PICKED, WEIGHED, PICKED[:, 0], WEIGHED[:, :1], torch.zeros(6).double()]
EACH = [3, 0, 1, 7, 2, 5]


def masked():
    for case in (CASES[0], CASES[2], CASES[6], CASES[7], CASES[8]):
        yield golden(*case, EACH)
        for mask in MASKS:
            for count in (float(mask.sum()), EACH):
                yield golden(*case, count, mask)


def of_shares():
    """Cross entropy with shares of classes, some rows without any, by a count."""
    shares = F.softmax(values("shares", 0, 3), 1) * PICKED[:, :1]
    only = F.one_hot(torch.tensor([0, 4, 2, 2, 1, 3]), 5).double() * PICKED[:, :1]
    for target, count in ((shares, 7), (only, float(PICKED[:, 0].sum())), (only, 0)):
        for smoothing in (0, 0.1):
            spread = (1 - smoothing) * target + smoothing / 5 * target.sum(1, keepdim=True)
            made = golden("cross_entropy", {"smoothing": smoothing}, spread, lambda x, t: -(t * F.log_softmax(x, 1)), count)
            x = values("predictions", -4, 4)
            assert abs(made["loss"] - float(F.cross_entropy(x, spread, reduction="sum")) / max(1, count)) < 1e-9
            yield {**made, "target": target.flatten().tolist()}


def rounded(value):
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.8g}") if isinstance(value, float) else value


if __name__ == "__main__":
    found = [golden(*case, count) for case in CASES for count in ((None, 7, 0) if case[0] != "focal" else (None, 7))]
    found += [*masked(), *of_shares()]
    FILE.write_text(json.dumps(rounded(found), separators=(",", ":")) + "\n")
