"""What torchvision and Pillow make of an image with the transforms of runtime/data: test/golden/data/transforms.json.

    /usr/bin/python3 test/oracle/make_data.py

Pillow 9.4, torchvision 0.14. Each case: the transforms as resnetc writes them, the shape, a sum with weights that differ
from value to value, and values at scattered positions, of the result channel by channel.
"""

import json
import pathlib

import numpy as np
import torch
from PIL import Image
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F
from torchvision.transforms import functional_tensor as T

GOLDEN = pathlib.Path(__file__).parent.parent / "golden"
OUT = GOLDEN / "data"
OUT.mkdir(parents=True, exist_ok=True)

image = Image.open(GOLDEN / "images" / "rgb.jpg.rgb.png")  # 33x21, as resnetc decodes PNG: exactly
tensor = F.to_tensor(image)
MODES = {"bilinear": InterpolationMode.BILINEAR, "bicubic": InterpolationMode.BICUBIC, "nearest": InterpolationMode.NEAREST}


def described(transforms, result, view=None):
    array = (result if torch.is_tensor(result) else F.to_tensor(result)).numpy().astype(np.float64)
    flat = array.reshape(-1)
    positions = [int(i) for i in (np.arange(12) * 7919 + 3) % flat.size]
    weights = (np.arange(flat.size) % 97 + 1) / 97
    return {
        "transforms": transforms,
        **({} if view is None else {"view": view}),
        "shape": list(array.shape),
        "sum": float((flat * weights).sum()),
        "values": [[i, float(flat[i])] for i in positions],
    }


cases = []
for name, mode in MODES.items():
    cases.append(described([{"kind": "resize", "size": [13, 40], "interpolation": name}], F.resize(image, [13, 40], mode)))
    cases.append(described([{"kind": "resize_shorter", "length": 16, "interpolation": name}], F.resize(image, 16, mode)))
crop = F.center_crop(F.resize(image, 30), [24, 28])
cases.append(described([{"kind": "resize_shorter", "length": 30}, {"kind": "center_crop", "size": [24, 28]}], crop))
cases.append(described([{"kind": "center_crop", "size": [26, 29]}], F.center_crop(image, [26, 29])))
cases.append(described([{"kind": "pad", "margin": 3}, {"kind": "flip_horizontal", "probability": 1}],
                       F.hflip(F.pad(image, 3))))
for view, part in enumerate(F.ten_crop(F.resize(image, 24), [17, 20])):
    cases.append(described([{"kind": "resize_shorter", "length": 24}, {"kind": "ten_crop", "size": [17, 20]}], part, view))
mean, std = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
cases.append(described([{"kind": "normalize", "mean": mean, "std": std}], F.normalize(tensor, mean, std)))
cases.append(described([{"kind": "normalize", "mean": [103.939, 116.779, 123.68], "range": 255, "color": "bgr"}],
                       tensor[[2, 1, 0]] * 255 - torch.tensor([103.939, 116.779, 123.68])[:, None, None]))

# resized crops of given windows, and colour changes by given amounts, for the functions behind the random transforms
crops = [[t, l, h, w, *described([], F.resized_crop(image, t, l, h, w, [16, 18])).values()]
         for t, l, h, w in [(0, 0, 21, 33), (3, 5, 12, 20), (10, 30, 9, 3), (2, 1, 17, 30)]]
colours = []
for kind, amounts in {"brightness": [0.3, 1.6], "contrast": [0.4, 1.7], "saturation": [0, 0.5, 1.8],
                      "hue": [-0.5, -0.13, 0.27, 0.5]}.items():
    for amount in amounts:
        colours.append({"kind": kind, "amount": amount, **described([], getattr(T, f"adjust_{kind}")(tensor, amount))})

(OUT / "transforms.json").write_text(json.dumps({
    "cases": cases,
    "crops": [{"window": {"top": t, "left": l, "height": h, "width": w}, "shape": shape, "sum": total, "values": values}
              for t, l, h, w, _, shape, total, values in crops],
    "colours": colours,
}, indent=1))
