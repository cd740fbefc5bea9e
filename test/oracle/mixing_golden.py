"""What PyTorch makes of a batch that is mixed: arXiv:1710.09412 and arXiv:1905.04899, each image with the one before it.

Writes test/golden/training/mixing.json. Images come from oracle_weights.py.

Run by hand with Python 3, torch 1.13 and numpy:  /usr/bin/python3 test/oracle/mixing_golden.py
"""

import json
import math
import pathlib

import torch

import oracle_weights

FILE = pathlib.Path(__file__).resolve().parent.parent / "golden" / "training" / "mixing.json"
SHAPE = (4, 3, 5, 6)
CLASSES = 5
LABELS = [2, 0, 0, 4]


def batch():
    count = torch.Size(SHAPE).numel()
    images = torch.from_numpy(oracle_weights.uniform("mixed images", count, -2, 2)).reshape(SHAPE)
    return images, torch.nn.functional.one_hot(torch.tensor(LABELS), CLASSES).float()


def weighted(values, share):
    """A share of each and the rest of the one before it, the first's being the last."""
    before = torch.stack([values[index - 1] for index in range(len(values))])
    return values * share + before * (1 - share)


def mixup(share):
    images, labels = batch()
    return {"share": share, "images": weighted(images, share), "labels": weighted(labels, share)}


def cutmix(share, row, column):
    """Algorithm 1 of the paper with the rectangle as a mask; torchvision's reference rounds half of its sides down."""
    images, labels = batch()
    height, width = SHAPE[2:]
    ratio = math.sqrt(1 - share)
    halves = int(0.5 * ratio * height), int(0.5 * ratio * width)
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    mask = (y >= row - halves[0]) & (y < row + halves[0]) & (x >= column - halves[1]) & (x < column + halves[1])
    seen = float(1 - mask.double().mean())
    return {
        "share": share,
        "middle": [row, column],
        "seen": seen,
        "images": torch.where(mask, images.roll(1, 0), images),
        "labels": weighted(labels, seen),
    }


def lists(value):
    if isinstance(value, dict):
        return {k: lists(v) for k, v in value.items()}
    if isinstance(value, list):
        return [lists(v) for v in value]
    return [float(f"{v:.9g}") for v in value.flatten().tolist()] if isinstance(value, torch.Tensor) else value


if __name__ == "__main__":
    golden = {
        "shape": list(SHAPE),
        "classes": CLASSES,
        "labels": LABELS,
        "mixup": [mixup(share) for share in (0.3, 0.96875)],
        "cutmix": [cutmix(0.2, 2, 3), cutmix(0.1, 0, 5), cutmix(0.5, 4, 0), cutmix(0.99, 2, 2)],
    }
    FILE.write_text(json.dumps(lists(golden), separators=(",", ":")) + "\n")
