"""Inference of torchvision's ResNet-50 as frozen TorchScript, timed one batch at a time as bench/int8.mjs asks for them.

    python3 torchscript.py WEIGHTS BATCH THREADS

For each line on standard input, `contiguous` or `channels_last`, one batch is computed in that memory layout, and its
milliseconds are written as a line: those that passed, and those that processors spent on it.
"""

import sys
import time

import torch
import torchvision

weights, batch, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.set_num_threads(threads)
model = torchvision.models.resnet50(weights=None).eval()
model.load_state_dict(torch.load(weights))


def frozen(layout):
    image = torch.randn(batch, 3, 224, 224).to(memory_format=layout)
    with torch.no_grad():
        traced = torch.jit.trace(model.to(memory_format=layout), image)
        return torch.jit.optimize_for_inference(torch.jit.freeze(traced)), image


layouts = {
    "contiguous": frozen(torch.contiguous_format),
    "channels_last": frozen(torch.channels_last),
}
print("ready", flush=True)
for line in sys.stdin:
    compute, image = layouts[line.strip()]
    before, used = time.perf_counter(), time.process_time()
    with torch.no_grad():
        compute(image)
    print((time.perf_counter() - before) * 1000, (time.process_time() - used) * 1000, flush=True)
