"""Images a second of PyTorch with cuDNN on a GPU, as JSON, for bench/gpu.mjs.

    python3 torch_gpu.py whole|quick ROUNDS

Channels last, cuDNN's benchmark mode; `fp32` with TF32 as PyTorch's convolutions have it by default, `mixed` and `fp16` by autocast.
"""
import json
import statistics
import sys
import time

import torch
from torch.nn import functional as F

if not torch.cuda.is_available():
    sys.exit("PyTorch finds no GPU")
import torchvision
from train_step import Cifar20

QUICK, ROUNDS = sys.argv[1] == "quick", int(sys.argv[2])
torch.backends.cudnn.benchmark = True
SIZES = {"cifar20": (4 if QUICK else 128, 32, 10), "resnet50": (1 if QUICK else 32, 64 if QUICK else 224, 1000)}


def rate(run, images):
    times = []
    for number in range(-3, ROUNDS):
        torch.cuda.synchronize()
        before = time.perf_counter()
        run()
        torch.cuda.synchronize()
        if number >= 0:
            times.append(time.perf_counter() - before)
    return images / statistics.median(times)


def network(name):
    made = Cifar20() if name == "cifar20" else torchvision.models.resnet50(weights=None)
    return made.cuda().to(memory_format=torch.channels_last)


def cast(half):
    return torch.autocast("cuda", dtype=torch.float16, enabled=half)


def infer(name, half):
    model = network(name).eval()
    batch, size, _ = SIZES[name]
    image = torch.randn(batch, 3, size, size, device="cuda").to(memory_format=torch.channels_last)
    with torch.no_grad(), cast(half):
        return rate(lambda: model(image), batch)


def train(name, half):
    model = network(name).train()
    batch, size, classes = SIZES[name]
    image = torch.randn(batch, 3, size, size, device="cuda").to(memory_format=torch.channels_last)
    labels = torch.randint(classes, (batch,), device="cuda")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)
    scaler = torch.cuda.amp.GradScaler(enabled=half)

    def step():
        optimizer.zero_grad(set_to_none=True)
        with cast(half):
            loss = F.cross_entropy(model(image), labels)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()

    return rate(step, batch)


def detect():
    model = torchvision.models.detection.fasterrcnn_resnet50_fpn(weights=None, weights_backbone=None).cuda().eval()
    image = [torch.rand(3, 96 if QUICK else 800, 128 if QUICK else 1066, device="cuda")]
    with torch.no_grad():
        return rate(lambda: model(image), 1)


found = {}
for name in SIZES:
    for half, kind in ((False, "fp32"), (True, "fp16")):
        found[f"inference {name} {kind}"] = infer(name, half)
        found[f"training {name} {'mixed' if half else kind}"] = train(name, half)
found["inference fpn fp32"] = detect()
print(json.dumps(found))
