"""examples/scenes' detector of torchvision's classes, trained by torchvision's code, as bench/train-detector.mjs asks for.

    python3 train_detector.py SCENES BACKBONE OUT --seed 0 --updates 1000 ...

SCENES is a folder of COCO's kind, BACKBONE the .safetensors file of the trained `Small`. What is found in the images of val is
written to OUT in COCO's form, seconds to standard output. Nothing is shared with resnetc: layers, losses, transforms and rules
are torchvision's, the optimiser PyTorch's.
"""
import argparse
import json
import math
import random
import struct
import sys
import time
from collections import OrderedDict
from pathlib import Path

import numpy
import torch
from PIL import Image
from torch import nn
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.faster_rcnn import FastRCNNPredictor
from torchvision.models.detection.rpn import RegionProposalNetwork, RPNHead
from torchvision.ops import MultiScaleRoIAlign
from torchvision.ops.feature_pyramid_network import FeaturePyramidNetwork, LastLevelMaxPool

CHANNELS, SIZE, SHAPES = 32, 240, 10


class Basic(nn.Module):
    """The paper's block of two 3x3 layers; a projection where the shape changes."""

    def __init__(self, given, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(given, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.shortcut = None
        if stride != 1 or given != width:
            self.shortcut = nn.Sequential(
                OrderedDict(conv=nn.Conv2d(given, width, 1, stride, bias=False), bn=nn.BatchNorm2d(width))
            )

    def forward(self, x):
        y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        return (y + (x if self.shortcut is None else self.shortcut(x))).relu()


class Tail(nn.Sequential):
    """conv3 and conv4 of `Small`."""

    def __init__(self):
        conv3 = nn.Sequential(Basic(24, 48, 2), Basic(48, 48, 1))
        conv4 = nn.Sequential(Basic(48, 96, 2), Basic(96, 96, 1))
        super().__init__(OrderedDict(conv3=conv3, conv4=conv4))


class Backbone(nn.Module):
    """The shared stages, and a feature pyramid for the proposals."""

    out_channels = CHANNELS

    def __init__(self):
        super().__init__()
        conv1 = nn.Sequential(
            OrderedDict(conv=nn.Conv2d(3, 16, 5, 2, 2, bias=False), bn=nn.BatchNorm2d(16), relu=nn.ReLU())
        )
        self.features = nn.Sequential(OrderedDict(conv1=conv1, conv2=nn.Sequential(Basic(16, 24, 2))))
        self.deep = Tail()
        self.pyramid = FeaturePyramidNetwork([24, 48, 96], CHANNELS, extra_blocks=LastLevelMaxPool())
        for parameter in self.features.parameters():
            parameter.requires_grad = False

    def train(self, mode=True):
        super().train(mode)
        self.features.eval()
        return self

    def forward(self, x):
        shared = self.features(x)
        conv3 = self.deep.conv3(shared)
        levels = self.pyramid(OrderedDict(conv2=shared, conv3=conv3, conv4=self.deep.conv4(conv3)))
        return OrderedDict(shared=shared, **levels)


class PyramidProposals(RegionProposalNetwork):
    """Proposals from the pyramid alone: the map that regions are pooled from is none of its levels."""

    def forward(self, images, features, targets=None):
        levels = OrderedDict((name, value) for name, value in features.items() if name != "shared")
        return super().forward(images, levels, targets)


def detector():
    anchors = AnchorGenerator(((16, 22), (32, 45), (64, 90), (128, 180)), ((1.0,),) * 4)
    rpn_head = RPNHead(CHANNELS, 2)
    for module in rpn_head.conv.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    predictor = FastRCNNPredictor(96, SHAPES + 1)
    nn.init.normal_(predictor.cls_score.weight, std=0.01)
    nn.init.normal_(predictor.bbox_pred.weight, std=0.001)
    for layer in (predictor.cls_score, predictor.bbox_pred):
        nn.init.zeros_(layer.bias)
    model = FasterRCNN(
        Backbone(),
        min_size=SIZE,
        max_size=4 * SIZE,
        image_mean=[0.5] * 3,
        image_std=[0.25] * 3,
        rpn_anchor_generator=anchors,
        rpn_head=rpn_head,
        box_roi_pool=MultiScaleRoIAlign(["shared"], 14, 2),
        box_head=nn.Sequential(OrderedDict(tail=Tail(), pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten())),
        box_predictor=predictor,
        box_batch_size_per_image=24,
        box_positive_fraction=1 / 3,
        box_detections_per_img=50,
    )
    # fg and bg thresholds, anchors of an image and the share of positives; before and after suppression, and its overlap.
    model.rpn = PyramidProposals(
        anchors, rpn_head, 0.5, 0.4, 256, 0.5, dict(training=100, testing=200), dict(training=100, testing=100), 0.7
    )
    return model


def read_safetensors(path):
    raw = Path(path).read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    header = json.loads(raw[8 : 8 + length])
    header.pop("__metadata__", None)
    body = raw[8 + length :]
    return {
        name: torch.from_numpy(numpy.frombuffer(body[slice(*each["data_offsets"])], "<f4").copy()).reshape(each["shape"])
        for name, each in header.items()
    }


def load_weights(model, path):
    """`Small`'s stages: the first two in front, the others behind them and again for each region."""
    given = {name: value for name, value in read_safetensors(path).items() if not name.startswith("classifier")}
    places = (model.backbone.features, model.backbone.deep, model.roi_heads.box_head.tail)
    used = set()
    for place in places:
        own = {name: value for name, value in given.items() if name in place.state_dict()}
        missing, _ = place.load_state_dict(own, strict=False)
        assert all(name.endswith("num_batches_tracked") for name in missing), missing
        used |= own.keys()
    assert used == given.keys(), given.keys() - used


class Scenes:
    """A part of COCO's kind of folder; crowds are left out."""

    def __init__(self, folder, part):
        self.folder = Path(folder) / f"{part}2017"
        data = json.loads((Path(folder) / "annotations" / f"instances_{part}2017.json").read_text())
        self.images = data["images"]
        self.objects = {image["id"]: [] for image in self.images}
        for each in data["annotations"]:
            if not each.get("iscrowd"):
                self.objects[each["image_id"]].append(each)

    def read(self, image):
        with Image.open(self.folder / image["file_name"]) as file:
            array = numpy.array(file.convert("RGB"))
        return torch.from_numpy(array).permute(2, 0, 1).float() / 255

    def sample(self, image, mirrored):
        pixels = self.read(image)
        boxes = torch.tensor([each["bbox"] for each in self.objects[image["id"]]], dtype=torch.float32).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        if mirrored:
            pixels = pixels.flip(2)
            boxes[:, [0, 2]] = pixels.shape[2] - boxes[:, [2, 0]]
        labels = torch.tensor([each["category_id"] for each in self.objects[image["id"]]], dtype=torch.int64)
        return pixels, {"boxes": boxes, "labels": labels}


def rate_at(step, options):
    """Up in a line, then down to 0 in half a cosine."""
    if step < options.warm_up:
        return options.first_rate + (options.rate - options.first_rate) * step / options.warm_up
    done = (step - options.warm_up) / (options.updates - options.warm_up)
    return options.rate * (1 + math.cos(math.pi * done)) / 2


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("scenes")
    parser.add_argument("backbone")
    parser.add_argument("out")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--updates", type=int, required=True)
    parser.add_argument("--batch", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--first-rate", type=float, required=True)
    parser.add_argument("--warm-up", type=int, required=True)
    parser.add_argument("--weight-decay", type=float, required=True)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    random.seed(options.seed)
    model = detector()
    load_weights(model, options.backbone)
    train = Scenes(options.scenes, "train")
    usable = [image for image in train.images if train.objects[image["id"]]]
    learned = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(learned, options.rate, momentum=0.9, weight_decay=options.weight_decay)
    order = []
    model.train()
    began = time.time()
    for step in range(options.updates):
        while len(order) < options.batch:
            order += random.sample(usable, len(usable))
        chosen, order = order[: options.batch], order[options.batch :]
        images, targets = zip(*(train.sample(image, random.random() < 0.5) for image in chosen))
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, options)
        losses = model(list(images), list(targets))
        optimizer.zero_grad()
        sum(losses.values()).backward()
        torch.nn.utils.clip_grad_norm_(learned, 10)
        optimizer.step()
        if step % 50 == 0:
            values = {name: round(float(value), 4) for name, value in losses.items()}
            rate = (step + 1) * options.batch / (time.time() - began)
            print(step, values, f"{rate:.1f} images/s", file=sys.stderr, flush=True)
    trained = time.time() - began
    model.eval()
    found = []
    val = Scenes(options.scenes, "val")
    with torch.no_grad():
        for image in val.images:
            result = model([val.read(image)])[0]
            for box, label, score in zip(result["boxes"].tolist(), result["labels"].tolist(), result["scores"].tolist()):
                x1, y1, x2, y2 = box
                found.append(
                    {"image_id": image["id"], "category_id": label, "bbox": [x1, y1, x2 - x1, y2 - y1], "score": score}
                )
    Path(options.out).write_text(json.dumps(found))
    print(json.dumps({"seconds": trained}))


main()
