"""What PyTorch makes of a recipe's settings: schedules, weighted losses, rates by stage, parameters that thaw.

Writes test/golden/training/recipes.json. Weights and gradients come from oracle_weights.py.

Run by hand with Python 3, torch 1.13 and numpy:  /usr/bin/python3 test/oracle/recipe_golden.py
"""

import json
import math
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

import oracle_weights

FILE = pathlib.Path(__file__).resolve().parent.parent / "golden" / "training" / "recipes.json"
STEPS = 40


def rates(make):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.4)
    scheduler = make(optimizer)
    out = []
    for _ in range(STEPS):
        out.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return out


def schedules():
    from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts as Restarts, OneCycleLR as OneCycle
    one = dict(max_lr=0.4, total_steps=STEPS, cycle_momentum=False)
    return {
        "one_cycle": rates(lambda o: OneCycle(o, **one)),
        "one_cycle_linear": rates(lambda o: OneCycle(o, **one, pct_start=0.25, anneal_strategy="linear", div_factor=10, final_div_factor=100)),
        "restarts": rates(lambda o: Restarts(o, T_0=8, eta_min=0.01)),
        "restarts_growing": rates(lambda o: Restarts(o, T_0=5, T_mult=2)),
    }


def losses():
    out = []
    logits = torch.from_numpy(oracle_weights.uniform("logits", 6 * 5, -3, 3).reshape(6, 5)).double()
    labels = torch.tensor([0, 1, 2, 3, 4, 1])
    for weights in ([1, 2, 0.5, 3, 0.25], [1, 1, 1, 1, 1]):
        for smoothing in (0, 0.1):
            x = logits.clone().requires_grad_()
            weight = torch.tensor(weights, dtype=torch.float64)
            loss = F.cross_entropy(x, labels, weight=weight, label_smoothing=smoothing)
            loss.backward()
            out.append({"weights": weights, "smoothing": smoothing, "loss": float(loss), "gradient": x.grad.flatten().tolist()})
    return out


def soft_losses():
    """Labels that are shares of classes: of two, as mixup makes them, and of one."""
    out = []
    logits = torch.from_numpy(oracle_weights.uniform("logits", 6 * 5, -3, 3).reshape(6, 5)).double()
    shares = torch.zeros(6, 5, dtype=torch.float64)
    for image, (a, b, share) in enumerate([(2, 1, 0.75), (1, 1, 1), (2, 4, 0.625), (0, 4, 0.25), (4, 2, 0.125), (1, 3, 0.875)]):
        shares[image, a] += share
        shares[image, b] += 1 - share
    for weights in (None, [1, 2, 0.5, 3, 0.25]):
        for smoothing in (0, 0.1):
            x = logits.clone().requires_grad_()
            weight = None if weights is None else torch.tensor(weights, dtype=torch.float64)
            loss = F.cross_entropy(x, shares, weight=weight, label_smoothing=smoothing)
            loss.backward()
            correct = int((logits.argmax(1) == shares.argmax(1)).sum())
            out.append({"weights": weights, "smoothing": smoothing, "shares": shares.flatten().tolist(),
                        "loss": float(loss), "gradient": x.grad.flatten().tolist(), "correct": correct})
    return out


# A convolution of three channels to two and a fully connected layer of two to four.
SHAPES = {"conv1.conv.weight": [2, 3, 1, 1], "head.fc.weight": [4, 2], "head.fc.bias": [4]}
RATES = {"conv1.conv.weight": 0.1, "head.fc.weight": 10, "head.fc.bias": 2}


def values(name, shape):
    return torch.from_numpy(oracle_weights.uniform(name, math.prod(shape), -1, 1).reshape(shape)).double()


def updates(make, thaw):
    """Weights after each of five updates; conv1 has no gradient before update `thaw`."""
    weights = {path: torch.nn.Parameter(values(path, shape)) for path, shape in SHAPES.items()}
    optimizer = make([{"params": [weights[path]], "lr": 0.01 * RATES[path]} for path in SHAPES])
    out = []
    for step in range(5):
        for path, weight in weights.items():
            frozen = path.startswith("conv1") and step < thaw
            weight.grad = None if frozen else values(f"gradient{step}.{path}", SHAPES[path])
        optimizer.step()
        out.append({path: weight.detach().flatten().tolist() for path, weight in weights.items()})
    return out


# A convolution with a bias, a batch norm and a fully connected layer; what Caffe calls lr_mult and decay_mult of each kind.
KINDS = {
    "conv1.conv.weight": ([2, 3, 1, 1], "weights"), "conv1.conv.bias": ([2], "biases"),
    "conv1.bn.weight": ([2], "norms"), "conv1.bn.bias": ([2], "norms"),
    "head.fc.weight": ([4, 2], "weights"), "head.fc.bias": ([4], "biases"),
}
TIMES = {"weights": (1, 1), "biases": (2, 0), "norms": (0.5, 3)}


def kinds(make):
    """Weights after each of three updates with a group of its own for each parameter; head learns ten times as fast beside that."""
    weights = {path: torch.nn.Parameter(values(path, shape)) for path, (shape, _) in KINDS.items()}
    groups = []
    for path, (_, kind) in KINDS.items():
        times, decay = TIMES[kind]
        stage = 10 if path.startswith("head") else 1
        groups.append({"params": [weights[path]], "lr": 0.01 * times * stage, "weight_decay": 0.01 * decay})
    optimizer = make(groups)
    out = []
    for step in range(3):
        for path, weight in weights.items():
            weight.grad = values(f"gradient{step}.{path}", KINDS[path][0])
        optimizer.step()
        out.append({path: weight.detach().flatten().tolist() for path, weight in weights.items()})
    return out


def rounded(value):
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.9g}") if isinstance(value, float) else value


if __name__ == "__main__":
    sgd = lambda groups: torch.optim.SGD(groups, lr=0.01, momentum=0.9, weight_decay=0.01)
    adamw = lambda groups: torch.optim.AdamW(groups, lr=0.01, weight_decay=0.01)
    golden = {
        "schedules": schedules(),
        "losses": losses(),
        "soft_losses": soft_losses(),
        "updates": {f"{name} {thaw}": updates(make, thaw) for name, make in (("sgd", sgd), ("adamw", adamw)) for thaw in (0, 2)},
        "kinds": {"sgd": kinds(sgd), "adamw": kinds(adamw)},
    }
    FILE.write_text(json.dumps(rounded(golden), separators=(",", ":")) + "\n")
