"""Weights made from tensor names by integer arithmetic alone: the twin of test/support/oracle-weights.ts.

Both give the same bits, so that a test has torchvision's exact state_dict without shipping it.
"""

import math

import numpy as np


def uniform(name, count, low, high):
    """Uniform in [low, high): MurmurHash3's finalizer over a counter that starts at the FNV-1a hash of the name."""
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x01000193) & 0xFFFFFFFF
    out = np.empty(count, np.float32)
    for start in range(0, count, 1 << 22):
        i = np.arange(start, min(count, start + (1 << 22)), dtype=np.uint64)
        h = ((seed + i * 0x9E3779B9) & 0xFFFFFFFF).astype(np.uint32)
        h ^= h >> 16
        h *= np.uint32(0x85EBCA6B)
        h ^= h >> 13
        h *= np.uint32(0xC2B2AE35)
        h ^= h >> 16
        unit = (h >> 8).astype(np.float64) / 16777216.0
        out[start:start + len(i)] = (low + (high - low) * unit).astype(np.float32)
    return out


def bounds(name, shape):
    """Ranges with which signals neither die nor explode: He's variance for weights, gains below 1 for batch norms."""
    if len(shape) > 1:
        bound = math.sqrt(6 / math.prod(shape[1:]))
        return -bound, bound
    if name.endswith("running_var"):
        return 0.5, 1.5
    if name.endswith("running_mean"):
        return -0.2, 0.2
    if name.endswith("weight"):
        return 0.4, 0.8
    return -0.1, 0.1


def tensor(name, shape, ranges={}):
    low, high = ranges.get(name) or bounds(name, shape)
    return uniform(name, math.prod(shape), low, high).reshape(shape)


def fill(module, ranges={}):
    """Gives a torch module these weights, and the statistics of its batch norms; `ranges` has those of some by name."""
    import torch

    state = module.state_dict()
    for name, value in state.items():
        if not name.endswith("num_batches_tracked"):
            state[name] = torch.from_numpy(tensor(name, list(value.shape), ranges))
    module.load_state_dict(state)
    return module.eval()


def image(shape=(1, 3, 224, 224)):
    return uniform("input", math.prod(shape), -2.0, 2.0).reshape(shape)


def pixels(name, height, width):
    """Bytes [3, height, width] of squares of 4, 16 and 64 pixels on one another, as images have detail of every size."""
    total = np.zeros((3, height, width), np.int64)
    for shift in (2, 4, 6):
        rows, columns = ((side - 1 >> shift) + 1 for side in (height, width))
        squares = uniform(f"{name}.{shift}", 3 * rows * columns, 0, 256).astype(np.int64).reshape(3, rows, columns)
        total += squares[:, np.arange(height) >> shift][:, :, np.arange(width) >> shift]
    return (total // 3).astype(np.uint8)
