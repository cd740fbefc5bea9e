"""What torchvision makes of two images with the operations of RandAugment and TrivialAugment: test/golden/data/augment.json.

    /usr/bin/python3 test/oracle/augment_golden.py

Pillow 9.4, torchvision 0.14, on Pillow's images. Of every operation its magnitude, and the SHA-256 (16 digits) of the
image's bytes with that magnitude and, where it is signed, with the opposite one.
"""

import hashlib
import json
import pathlib

import numpy as np
from PIL import Image
from torchvision.transforms import InterpolationMode, RandAugment, TrivialAugmentWide
from torchvision.transforms.autoaugment import _apply_op

GOLDEN = pathlib.Path(__file__).parent.parent / "golden"
NAMES = ["identity", "shear_x", "shear_y", "translate_x", "translate_y", "rotate", "brightness", "color", "contrast",
         "sharpness", "posterize", "solarize", "auto_contrast", "equalize"]
MODES = {"nearest": InterpolationMode.NEAREST, "bilinear": InterpolationMode.BILINEAR, "bicubic": InterpolationMode.BICUBIC}

# Few levels in red, one in green, all in blue: what stretching and equalizing contrast treats in a way of its own.
y, x = np.mgrid[0:30, 0:41]
levels = np.stack([100 + (x * 7 + y * 3) % 5 * 11, np.full_like(x, 77), (x * 41 + y * y * 5) % 256], axis=2)
IMAGES = {
    "photo": Image.open(GOLDEN / "images" / "rgb.jpg.rgb.png"),  # 33x21
    "levels": Image.fromarray(levels.astype(np.uint8)),
}


def digest(image):
    return hashlib.sha256(np.asarray(image).tobytes()).hexdigest()[:16]


def case(policy, image, bins, bin, mode, fill):
    picture = IMAGES[image]
    size = (picture.height, picture.width)
    space = RandAugment()._augmentation_space(bins, size) if policy == "rand_augment" else \
        TrivialAugmentWide()._augmentation_space(bins)
    operations = {}
    for name, (word, (magnitudes, signed)) in zip(NAMES, space.items()):
        assert word.lower() == name.replace("_", "")
        magnitude = float(magnitudes[bin]) if magnitudes.ndim > 0 else 0.0
        images = [_apply_op(picture, word, sign * magnitude, MODES[mode], fill) for sign in ([1, -1] if signed else [1])]
        operations[name] = [magnitude, *map(digest, images)]
    return {"policy": policy, "image": image, "bins": bins, "bin": bin, "interpolation": mode, "fill": fill or [0, 0, 0],
            "operations": operations}


cases = []
for image in IMAGES:
    cases.append(case("rand_augment", image, 31, 9, "nearest", None))
    cases.append(case("rand_augment", image, 31, 30, "bilinear", None))
    cases.append(case("rand_augment", image, 11, 4, "bicubic", [255, 3, 128]))
    cases.append(case("rand_augment", image, 9, 3, "nearest", [1, 2, 3]))
    cases.append(case("rand_augment", image, 9, 1, "bilinear", [9, 9, 9]))
    cases.append(case("trivial_augment", image, 31, 20, "nearest", None))
    cases.append(case("trivial_augment", image, 31, 30, "bilinear", [200, 0, 7]))
    cases.append(case("trivial_augment", image, 8, 2, "bicubic", None))

(GOLDEN / "data" / "augment.json").write_text(json.dumps({"cases": cases}) + "\n")
