"""Training steps of PyTorch on the processor, timed one at a time as bench/train-step.mjs asks for them.

    python3 train_step.py NETWORK BATCH THREADS

NETWORK is cifar20, resnet18, resnet50 or fpn. For each line on standard input, `contiguous` or `channels_last`, one step of
SGD with momentum 0.9 and weight decay 1e-4 is made in that memory layout, and its milliseconds are written as a line:
those that passed, and those that processors spent on it.
"""
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    """The paper's block of two 3x3 layers, with shortcuts of option A (section 4.2)."""

    def __init__(self, given, width, stride):
        super().__init__()
        self.stride, self.more = stride, width - given
        self.conv1 = nn.Conv2d(given, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.more:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.more))
        return F.relu(y + x)


class Cifar20(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        widths = [16] * 4 + [32] * 3 + [64] * 3
        self.blocks = nn.Sequential(*(Block(a, b, 1 if a == b else 2) for a, b in zip(widths, widths[1:])))
        self.fc = nn.Linear(64, 10)

    def forward(self, x):
        x = self.blocks(F.relu(self.bn1(self.conv1(x))))
        return self.fc(x.mean((2, 3)))


def network(name):
    if name == "cifar20":
        return Cifar20(), 32, 10
    import torchvision

    return getattr(torchvision.models, name)(weights=None), 224, 1000


OBJECTS = 7


class Fpn(nn.Module):
    """torchvision's fasterrcnn_resnet50_fpn on a batch that is scaled already: the sum of its four losses."""

    def __init__(self):
        super().__init__()
        import torchvision
        from torchvision.models.detection import FasterRCNN
        from torchvision.models.detection.backbone_utils import _resnet_fpn_extractor

        body = torchvision.models.resnet50(weights=None, norm_layer=torchvision.ops.FrozenBatchNorm2d)
        self.model = FasterRCNN(_resnet_fpn_extractor(body, 3), num_classes=91)

    def forward(self, image):
        from torchvision.models.detection.image_list import ImageList

        batch, _, height, width = image.shape
        targets = []
        for first in range(0, batch * OBJECTS, OBJECTS):
            numbers = range(first, first + OBJECTS)
            corners = [((i * 67) % (width - 250), (i * 41) % (height - 250), 20 + 30 * (i % OBJECTS)) for i in numbers]
            boxes = torch.tensor([[x, y, x + side, y + side] for x, y, side in corners], dtype=torch.float32)
            targets.append(dict(boxes=boxes, labels=torch.tensor([i % 90 + 1 for i in numbers])))
        images = ImageList(image, [(height, width)] * batch)
        features = self.model.backbone(image)
        proposals, of_rpn = self.model.rpn(images, features, targets)
        _, of_heads = self.model.roi_heads(features, proposals, images.image_sizes, targets)
        return sum({**of_rpn, **of_heads}.values())


def main():
    name, batch, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    made = {}
    for layout in ("contiguous", "channels_last"):
        model, size, classes = (Fpn(), (480, 640), 1) if name == "fpn" else network(name)
        height, width = size if name == "fpn" else (size, size)
        form = getattr(torch, f"{layout}_format" if layout == "contiguous" else layout)
        model = model.to(memory_format=form).train()
        optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 1e-5 if name == "fpn" else 0.01, momentum=0.9, weight_decay=1e-4)
        image = torch.randn(batch, 3, height, width).to(memory_format=form)
        made[layout] = model, optimizer, image, torch.randint(classes, (batch,))
    print("ready", flush=True)
    for line in sys.stdin:
        model, optimizer, image, labels = made[line.strip()]
        before = time.perf_counter(), time.process_time()
        optimizer.zero_grad(set_to_none=True)
        loss = model(image) if name == "fpn" else F.cross_entropy(model(image), labels)
        loss.backward()
        optimizer.step()
        print(1000 * (time.perf_counter() - before[0]), 1000 * (time.process_time() - before[1]), flush=True)


main()
