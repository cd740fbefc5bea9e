"""Grey images as Pillow makes them, and what torchvision's transforms make of them: test/golden/images/grey.json.

    /usr/bin/python3 test/oracle/make_grey.py

Pillow 9.4, torchvision 0.14. Of lossless files the SHA-256 of the pixels of `convert("L")`; of the photograph the
tensor.
"""

import base64
import hashlib
import json
import pathlib

import numpy as np
from PIL import Image
from torchvision import transforms

OUT = pathlib.Path(__file__).parent.parent / "golden" / "images"
FILES = ["rgb.tif", "palette.png", "bits.png", "rgb.jpg.rgb.png", "cmyk.tif.rgb.png", "alpha.png.rgb.png"]


def colours():
    """Every 5th level of red with every 7th of green and every 3rd of blue, in a strip: the test makes it too."""
    red, green, blue = np.meshgrid(np.arange(0, 256, 5), np.arange(0, 256, 7), np.arange(0, 256, 3), indexing="ij")
    return Image.fromarray(np.stack([red, green, blue], -1).reshape(1, -1, 3).astype("uint8"))


def digest(image):
    return hashlib.sha256(np.asarray(image).tobytes()).hexdigest()


photo = transforms.Compose(
    [
        transforms.Grayscale(),
        transforms.Resize(40),
        transforms.CenterCrop(32),
        transforms.ToTensor(),
        transforms.Normalize([0.449], [0.226]),
    ]
)(Image.open(OUT / "photo.jpg").convert("RGB"))

(OUT / "grey.json").write_text(
    json.dumps(
        {
            "grey": {file: digest(Image.open(OUT / file).convert("RGB").convert("L")) for file in FILES},
            "colours": digest(colours().convert("L")),
            "photo": base64.b64encode(photo.numpy().astype("<f4").tobytes()).decode(),
        },
        indent=1,
    )
    + "\n"
)
