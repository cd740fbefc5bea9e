"""How torchvision, OpenCV and Pillow scale images for detectors: test/golden/images/detector.json.

    /usr/bin/python3 test/oracle/make_detector_images.py

torchvision 0.14, OpenCV 4.6, Pillow 9.4. `sizes`: height and width before and after, by each of the rules. `tensors`:
images that make_images.py wrote, scaled and normalised; a sum and values at scattered positions. What is not in these
packages are a few lines of py-faster-rcnn (prep_im_for_blob) and Detectron2 (ResizeShortestEdge), written here from
their description.
"""

import json
import pathlib
import random

import cv2
import numpy as np
import torch
from PIL import Image
from torchvision.models.detection.transform import GeneralizedRCNNTransform

IMAGES = pathlib.Path(__file__).parent.parent / "golden" / "images"


def torch_like(rgb, shorter, longest, mean, std, pad_to):
    transform = GeneralizedRCNNTransform(shorter, longest, mean, std, size_divisible=pad_to).eval()
    images, _ = transform([torch.from_numpy(rgb.transpose(2, 0, 1).astype("float32") / 255)])
    (height, width) = images.image_sizes[0]
    return images.tensors[0].numpy(), (height, width)


def opencv_factor(height, width, shorter, longest):
    scale = float(shorter) / float(min(height, width))
    if np.round(scale * max(height, width)) > longest:
        scale = float(longest) / float(max(height, width))
    return scale


def opencv_like(rgb, shorter, longest, mean):
    bgr = rgb[:, :, ::-1].astype(np.float32) - np.array(mean, dtype=np.float32)
    scale = opencv_factor(*rgb.shape[:2], shorter, longest)
    scaled = cv2.resize(bgr, None, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    return scaled.transpose(2, 0, 1), scaled.shape[:2], scale


def pillow_size(height, width, shorter, longest):
    scale = shorter * 1.0 / min(height, width)
    new = [shorter, scale * width] if height < width else [scale * height, shorter]
    if max(new) > longest:
        scale = longest * 1.0 / max(new)
        new = [side * scale for side in new]
    return int(new[0] + 0.5), int(new[1] + 0.5)


def pillow_like(rgb, shorter, longest, mean):
    height, width = pillow_size(*rgb.shape[:2], shorter, longest)
    scaled = np.asarray(Image.fromarray(rgb).resize((width, height), Image.BILINEAR))
    return scaled[:, :, ::-1].astype("float32").transpose(2, 0, 1) - np.array(mean, "float32")[:, None, None], (height, width)


# ---- sizes

chance = random.Random(4)
images = [(chance.randint(1, 1600), chance.randint(1, 1600)) for _ in range(150)]
images += [(480, 640), (640, 480), (1, 1), (8, 10000), (600, 600), (333, 500), (375, 500), (500, 375), (427, 640), (800, 1333)]
images += [(1080, 1920), (3000, 4000), (150, 2), (7, 11), (601, 1000), (1000, 601), (799, 1334), (400, 667), (400, 666)]
sizes = []
for height, width in images:
    flat = np.zeros((height, width, 3), "uint8")
    scale = opencv_factor(height, width, 600, 1000)
    row = {"from": [height, width], "pillow": pillow_size(height, width, 800, 1333)}
    row["torch"] = [int(side) for side in torch_like(flat, 800, 1333, [0, 0, 0], [1, 1, 1], 1)[1]] if min(height, width) * 1333 >= max(height, width) else None
    try:
        row["opencv"] = cv2.resize(flat[:, :, 0], None, None, fx=scale, fy=scale).shape[:2]
    except cv2.error:
        row["opencv"] = None
    sizes.append(row)

# ---- values

IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
PAPER = [102.9801, 115.9465, 122.7717]
DETECTRON2 = [103.530, 116.280, 123.675]


def sampled(x):
    flat = x.reshape(-1).astype("float64")
    at = [(i * 7919) % flat.size for i in range(40)]
    return {"shape": list(x.shape), "sum": flat.sum(), "at": at, "values": [round(float(flat[i]), 7) for i in at]}


def preprocess(like, shorter, longest, **rest):
    resize = {"shorter": shorter, "longest": longest, "like": like}
    return {"name": like, "resize": resize, "interpolation": "bilinear", **rest}


tensors = []
for file in ("photo.jpg", "tall.png", "rgb.tif"):
    rgb = np.asarray(Image.open(IMAGES / file).convert("RGB"))
    height, width = rgb.shape[:2]
    for shorter, longest in ((200, 333), (96, 120), (40, 1000), (151, 203)):
        x, size = torch_like(rgb, shorter, longest, *IMAGENET, 32)
        info = [*size, height, width, size[0] / height, size[1] / width]
        how = preprocess("torch", shorter, longest, color="rgb", range=1, mean=IMAGENET[0], std=IMAGENET[1], padTo=32)
        tensors.append({"file": file, "preprocess": how, "info": info, **sampled(x)})

        x, size, scale = opencv_like(rgb, shorter, longest, PAPER)
        how = preprocess("opencv", shorter, longest, color="bgr", range=255, mean=PAPER, std=[1, 1, 1])
        tensors.append({"file": file, "preprocess": how, "info": [*size, height, width, scale, scale], **sampled(x)})

        x, size = pillow_like(rgb, shorter, longest, DETECTRON2)
        info = [*size, height, width, size[0] / height, size[1] / width]
        how = preprocess("pillow", shorter, longest, color="bgr", range=255, mean=DETECTRON2, std=[1, 1, 1])
        tensors.append({"file": file, "preprocess": how, "info": info, **sampled(x)})

lines = [json.dumps(each, separators=(",", ":")) for each in sizes], [json.dumps(each, separators=(",", ":")) for each in tensors]
text = '{"sizes":[\n' + ",\n".join(lines[0]) + '\n],"tensors":[\n' + ",\n".join(lines[1]) + "\n]}\n"
(IMAGES / "detector.json").write_text(text)
