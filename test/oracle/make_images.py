"""Small images in every format, and what Pillow and torchvision make of them: test/golden/images/.

    /usr/bin/python3 test/oracle/make_images.py

Pillow 9.4, torchvision 0.14. The images are computed; the reference pixels are PNG (decode), the reference tensors
JSON: a checksum-like sum and values at scattered positions.
"""

import json
import pathlib

import numpy as np
import torch
from PIL import Image, ImageOps
from torchvision import transforms
from torchvision.transforms import InterpolationMode

OUT = pathlib.Path(__file__).parent.parent / "golden" / "images"
OUT.mkdir(parents=True, exist_ok=True)


def image(width, height, noise):
    rng = np.random.RandomState(7)
    y, x = np.mgrid[0:height, 0:width]
    planes = [127 + 120 * np.sin(x / 9 + y / 17), 127 + 120 * np.cos(y / 7 - x / 23), (x * 2 + y * 3) % 256]
    return Image.fromarray((np.stack(planes, -1) + rng.randn(height, width, 3) * noise).clip(0, 255).astype("uint8"))


# ---- every format: the file, and the RGB pixels that it stands for

small = image(33, 21, 8)
ramp = Image.fromarray(((np.mgrid[0:21, 0:33][1] * 7) % 256).astype("uint8"))
turned = small.getexif()
turned[0x112] = 6
translucent = small.copy()
translucent.putalpha(ramp)
grey_alpha = small.convert("L")
grey_alpha.putalpha(ramp)

small.save(OUT / "rgb.jpg", quality=90)
small.save(OUT / "progressive.jpg", quality=80, progressive=True)
small.save(OUT / "turned.jpg", quality=90, exif=turned)
small.convert("L").save(OUT / "grey.jpg", quality=90)
small.convert("CMYK").save(OUT / "cmyk.jpg", quality=90)
small.convert("CMYK").save(OUT / "cmyk.tif")
small.save(OUT / "rgb.webp", quality=80)
small.save(OUT / "rgb.tif", compression="tiff_lzw")
small.save(OUT / "animated.gif", save_all=True, append_images=[small.transpose(Image.Transpose.ROTATE_180)])
small.convert("P", palette=Image.Palette.ADAPTIVE).save(OUT / "palette.png")
small.convert("1").save(OUT / "bits.png")
translucent.save(OUT / "alpha.png")
translucent.save(OUT / "alpha.webp", lossless=True, exact=True)
grey_alpha.save(OUT / "grey_alpha.png")

decoded = [path for path in sorted(OUT.iterdir()) if path.suffix in (".jpg", ".webp", ".tif", ".gif", ".png")]
decoded = [path for path in decoded if not path.name.endswith(".rgb.png") and path.name not in ("photo.jpg", "tall.png", "deep.png")]
for path in decoded:
    ImageOps.exif_transpose(Image.open(path)).convert("RGB").save(OUT / (path.name + ".rgb.png"), optimize=True)

# 16 bits: Pillow's own conversion clips, so the reference is the upper byte, by hand.
deep = (np.mgrid[0:21, 0:33][1] * 1900 + np.mgrid[0:21, 0:33][0] * 31).astype("uint16")
Image.fromarray(deep).save(OUT / "deep.png")
Image.fromarray((deep >> 8).astype("uint8")).convert("RGB").save(OUT / "deep.png.rgb.png", optimize=True)

# ---- scaling and cropping

photo = image(203, 151, 5)
photo.save(OUT / "photo.jpg", quality=75)
photo = Image.open(OUT / "photo.jpg").convert("RGB")
tall = image(37, 90, 10)
tall.save(OUT / "tall.png", optimize=True)

MODES = {
    "bilinear": InterpolationMode.BILINEAR,
    "bicubic": InterpolationMode.BICUBIC,
    "nearest": InterpolationMode.NEAREST,
}
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def tensor(image, color, scale, mean, std):
    x = transforms.ToTensor()(image)
    if color == "bgr":
        x = x.flip(0)
    if scale != 1:
        x = x * scale
    return transforms.Normalize(mean, std)(x)


def sampled(x):
    flat = x.reshape(-1).double()
    at = [(i * 7919) % flat.numel() for i in range(64)]
    return {"shape": list(x.shape), "sum": flat.sum().item(), "at": at, "values": [flat[i].item() for i in at]}


cases = []


def case(file, view="center", resize=None, crop=None, mode="bilinear", color="rgb", scale=1, mean=None, std=None):
    image = Image.open(OUT / file).convert("RGB")
    mean, std = mean or IMAGENET[0], std or IMAGENET[1]
    scaled = image if resize is None else transforms.Resize(resize, MODES[mode])(image)
    if view == "ten crops":
        images = transforms.TenCrop(crop)(scaled)
    elif view == "whole":
        images = [scaled, ImageOps.mirror(scaled)]
    else:
        images = [scaled if crop is None else transforms.CenterCrop(crop)(scaled)]
    preprocess = {"name": "case", "interpolation": mode, "color": color, "range": scale, "mean": mean, "std": std}
    if resize is not None and view != "whole":
        preprocess["resize"] = {"to": resize} if isinstance(resize, list) else {"shorter": resize}
    if crop is not None:
        preprocess["centerCrop"] = [crop, crop] if isinstance(crop, int) else crop
    cases.append(
        {
            "file": file,
            "preprocess": preprocess,
            "view": {"kind": view, **({"shorter": resize} if view == "whole" else {})},
            "tensors": [sampled(tensor(p, color, scale, mean, std)) for p in images],
        }
    )


case("photo.jpg", resize=256, crop=224)
case("photo.jpg", resize=64, crop=56)
case("photo.jpg", resize=65, crop=[40, 51])
case("photo.jpg", resize=100, crop=96, mode="bicubic")
case("photo.jpg", resize=300, crop=223, mode="bicubic")
case("photo.jpg", resize=77, crop=64, mode="nearest")
case("photo.jpg", resize=[48, 130], crop=[48, 130])
case("photo.jpg", resize=151, crop=140)
case("photo.jpg", resize=90, crop=[120, 100])
case("photo.jpg", crop=32)
case("photo.jpg")
case("tall.png", resize=256, crop=224)
case("tall.png", resize=20, crop=17)
case("tall.png", crop=[60, 50])
case("tall.png", crop=[100, 30])
PAPER = {"color": "bgr", "scale": 255, "mean": [103.939, 116.779, 123.68], "std": [1.0, 1.0, 1.0]}
case("photo.jpg", resize=256, crop=224, **PAPER)
case("photo.jpg", view="ten crops", resize=256, crop=224, **PAPER)
case("tall.png", view="ten crops", resize=64, crop=48)
for shorter in (224, 96, 480):
    case("photo.jpg", view="whole", resize=shorter, **PAPER)
case("tall.png", view="whole", resize=50)

(OUT / "tensors.json").write_text(json.dumps(cases, separators=(",", ":")) + "\n")
