"""Training steps of PyTorch on the processor, timed one at a time as bench/train-step.mjs asks for them.

    python3 train_step.py NETWORK BATCH THREADS

NETWORK is cifar20, resnet18 or resnet50. For each line on standard input, `contiguous` or `channels_last`, one step of
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


def main():
    name, batch, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    made = {}
    for layout in ("contiguous", "channels_last"):
        model, size, classes = network(name)
        form = getattr(torch, f"{layout}_format" if layout == "contiguous" else layout)
        model = model.to(memory_format=form).train()
        optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9, weight_decay=1e-4)
        image = torch.randn(batch, 3, size, size).to(memory_format=form)
        made[layout] = model, optimizer, image, torch.randint(classes, (batch,))
    print("ready", flush=True)
    for line in sys.stdin:
        model, optimizer, image, labels = made[line.strip()]
        before = time.perf_counter(), time.process_time()
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(model(image), labels).backward()
        optimizer.step()
        print(1000 * (time.perf_counter() - before[0]), 1000 * (time.process_time() - before[1]), flush=True)


main()
