"""What PyTorch makes of our networks while training: gradients of small ones, losses of twenty steps of two large ones.

Reads test/golden/training/NAME.graph.json (written by test/oracle/training-graphs.test.ts: layers, arguments and names,
nothing of gradients) and writes NAME.json beside it. Weights and batches come from oracle_weights.py.

Run by hand with Python 3, torch 1.13, torchvision and numpy:  /usr/bin/python3 test/oracle/training_golden.py [--exact] [NAME ...]
--exact prints how far fp32 is from float64 there.
"""

import json
import math
import pathlib
import sys

import numpy as np
import torch
import torch.nn.functional as F
import torchvision

import oracle_weights

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "golden" / "training"


def pool_sizes(x, a):
    """Padding at the end that makes rounding down give Caffe's size."""
    sizes = []
    for axis in (0, 1):
        size, k, s, p = x.shape[2 + axis], a["kernel"][axis], a["stride"][axis], a["pad"][axis]
        n = (math.ceil if a.get("ceil") else math.floor)((size + 2 * p - k) / s) + 1
        if a.get("ceil") and (n - 1) * s >= size + p:
            n -= 1
        sizes.append(max(0, (n - 1) * s + k - size - 2 * p))
    return sizes


def max_pool(x, a):
    (ph, pw), (eh, ew) = a["pad"], pool_sizes(x, a)
    padded = F.pad(x, (pw, pw + ew, ph, ph + eh), value=-math.inf)
    return F.max_pool2d(padded, a["kernel"], a["stride"])


def avg_pool(x, a):
    (ph, pw), (eh, ew) = a["pad"], pool_sizes(x, a)
    sums = F.avg_pool2d(F.pad(x, (pw, pw + ew, ph, ph + eh)), a["kernel"], a["stride"], divisor_override=1)
    ones = torch.ones_like(x[:1, :1])
    if a["count_padding"]:
        ones = F.pad(ones, (pw, pw, ph, ph), value=1.0)
        ones = F.pad(ones, (0, ew, 0, eh))
    else:
        ones = F.pad(ones, (pw, pw + ew, ph, ph + eh))
    return sums / F.avg_pool2d(ones, a["kernel"], a["stride"], divisor_override=1)


def layer(op, inputs, a, state):
    x, *rest = inputs
    if op == "conv":
        weight, bias = rest[0], rest[1] if len(rest) > 1 else None
        return F.conv2d(x, weight, bias, a["stride"], a["pad"], a["dilation"], a["groups"])
    if op == "conv_transpose":
        weight, bias = rest[0], rest[1] if len(rest) > 1 else None
        return F.conv_transpose2d(x, weight, bias, a["stride"], a["pad"], a["output_pad"], a["groups"], a["dilation"])
    if op == "fc":
        if a["each"] == "pixel":
            return F.linear(x.permute(0, 2, 3, 1), *rest).permute(0, 3, 1, 2)
        return F.linear(x.flatten(1), *rest)
    if op == "layer_norm":
        # As ConvNeXt's LayerNorm2d.
        last = x.movedim(1, -1)
        return F.layer_norm(last, last.shape[-1:], *rest, a["eps"]).movedim(-1, 1)
    if op == "group_norm":
        return F.group_norm(x, a["groups"], *rest, a["eps"])
    if op == "l2_norm":
        return F.normalize(x, 2, 1, a["eps"])
    if op == "scale":
        return x * rest[0].reshape(-1, *[1] * (x.dim() - 2))
    if op == "prelu":
        return F.prelu(x, rest[0])
    if op == "channel_shuffle":
        # As torchvision's ShuffleNet: torch's own has no derivative.
        return x.unflatten(1, (a["groups"], -1)).transpose(1, 2).flatten(1, 2)
    if op == "crop":
        return torchvision.transforms.functional.center_crop(x, a["size"])
    if op == "bn":
        weight, bias, mean, var = rest
        return F.batch_norm(x, mean, var, weight, bias, True, a["momentum"], a["eps"])
    simple = {
        "relu": F.relu, "relu6": F.relu6, "sigmoid": torch.sigmoid, "hard_sigmoid": F.hardsigmoid, "tanh": torch.tanh,
        "silu": F.silu, "hard_swish": F.hardswish, "gelu": F.gelu, "identity": lambda v: v, "flatten": lambda v: v.flatten(1),
        "global_avg_pool": lambda v: v.mean((2, 3), keepdim=True),
        "global_max_pool": lambda v: F.adaptive_max_pool2d(v, 1), "softmax": lambda v: v.softmax(1),
    }
    if op in simple:
        return simple[op](x)
    if op == "leaky_relu":
        return F.leaky_relu(x, a["slope"])
    if op == "max_pool":
        return max_pool(x, a)
    if op == "avg_pool":
        return avg_pool(x, a)
    if op == "subsample":
        return x[:, :, :: a["stride"][0], :: a["stride"][1]]
    if op == "pad":
        return F.pad(x, (a["amount"][1],) * 2 + (a["amount"][0],) * 2)
    if op == "pad_channels":
        return F.pad(x, (0, 0, 0, 0, 0, a["channels"] - x.shape[1]))
    if op == "slice_channels":
        return x[:, a["from"]:a["to"]]
    if op == "upsample":
        how = {"mode": "nearest"} if a["mode"] == "nearest" else {"mode": "bilinear", "align_corners": False}
        return F.interpolate(x, scale_factor=tuple(float(f) for f in a["factor"]), **how)
    if op == "dropout":
        p = a["probability"]
        kept = state["noise"](x.shape) >= p
        return x * kept / (1 - p)
    if op == "drop_path":
        p = a["probability"]
        kept = state["noise"]((len(x), *[1] * (x.dim() - 1))) >= p
        return x * kept / (1 - p)
    if op == "add":
        return sum(rest, x)
    if op == "multiply":
        return math.prod(rest, start=x)
    if op == "maximum":
        for other in rest:
            x = torch.maximum(x, other)
        return x
    if op == "concat":
        return torch.cat(inputs, 1)
    raise ValueError(op)


class Network:
    def __init__(self, graph, dtype):
        self.graph, self.dtype = graph, dtype
        self.values = {}
        for path, shape in graph["parameters"].items():
            tensor = torch.from_numpy(oracle_weights.tensor(path, shape)).to(dtype)
            if path.endswith("bn3.weight"):
                tensor *= graph.get("residual_gain", 1)
            self.values[path] = tensor if "running_" in path else tensor.requires_grad_()
        self.trained = {path: t for path, t in self.values.items() if t.requires_grad}

    def logits(self, image, step):
        values = dict(self.values, image=image)
        for node in self.graph["nodes"]:
            noise = lambda shape: torch.from_numpy(
                oracle_weights.uniform(f"noise{step}.{node['output']}", math.prod(shape), 0, 1).reshape(shape))
            inputs = [values[name] for name in node["inputs"]]
            values[node["output"]] = layer(node["op"], inputs, node["attributes"], {"noise": noise})
        self.values_of_step = values
        return values[self.graph["logits"]].flatten(1)

    def loss(self, logits, labels):
        """The cross entropy of the logits, or the losses that the network states; each by its name beside their sum."""
        smoothing = self.graph["smoothing"]
        if "losses" not in self.graph:
            return F.cross_entropy(logits, labels, label_smoothing=smoothing), {}
        each, total = {}, 0
        for node in self.graph["losses"]:
            x, target = [labels if name == "labels" else self.values_of_step[name] for name in node["inputs"]]
            x, a = x.flatten(1), node["attributes"]
            if node["op"] == "cross_entropy":
                found = F.cross_entropy(x, target, label_smoothing=smoothing)
            elif node["op"] == "binary_cross_entropy":
                found = F.binary_cross_entropy_with_logits(x, target)
            else:
                found = torchvision.ops.sigmoid_focal_loss(x, target, a["alpha"], a["gamma"], "mean")
            each[node["name"]] = float(found)
            total = total + a["weight"] * found
        return total, each

    def batch(self, index):
        shape, classes = self.graph["image"], self.graph["classes"]
        image = oracle_weights.uniform(f"image{index}", math.prod(shape), -2, 2).reshape(shape)
        if self.graph.get("multi_label"):
            there = np.rint(oracle_weights.uniform(f"labels{index}", shape[0] * classes, 0, 1)).reshape(shape[0], classes)
            return torch.from_numpy(image).to(self.dtype), torch.from_numpy(there).to(self.dtype)
        labels = np.floor(oracle_weights.uniform(f"labels{index}", shape[0], 0, classes)).astype(np.int64)
        return torch.from_numpy(image).to(self.dtype), torch.from_numpy(labels)


def gradients(graph, dtype):
    net = Network(graph, dtype)
    image, labels = net.batch(0)
    loss, _ = net.loss(net.logits(image, 0), labels)
    loss.backward()
    summary = {}
    for path, tensor in net.trained.items():
        gradient = tensor.grad.double().flatten().numpy()
        # Four random projections: an error anywhere shows in each of them.
        directions = [oracle_weights.uniform(f"direction{i}", gradient.size, -1, 1).astype(np.float64) for i in range(4)]
        summary[path] = [float(np.sqrt((gradient**2).sum()))] + [float(d @ gradient) for d in directions]
    running = {path: [float(v) for v in t[:4]] for path, t in net.values.items() if "running_" in path}
    return {"loss": float(loss), "gradients": summary, "running": running}


def losses(graph, dtype):
    net = Network(graph, dtype)
    how = graph["training"]
    if how["optimizer"] == "adamw":
        optimizer = torch.optim.AdamW(net.trained.values(), lr=how["learning_rate"], weight_decay=how["weight_decay"])
    else:
        optimizer = torch.optim.SGD(net.trained.values(), lr=how["learning_rate"], momentum=how["momentum"],
                                    weight_decay=how["weight_decay"], nesterov=how["nesterov"])
    out, correct, parts = [], [], []
    for step in range(how["steps"]):
        image, labels = net.batch(step % how["batches"])
        optimizer.zero_grad()
        logits = net.logits(image, step)
        loss, each = net.loss(logits, labels)
        loss.backward()
        if how.get("clip_norm"):
            torch.nn.utils.clip_grad_norm_(net.trained.values(), how["clip_norm"])
        optimizer.step()
        out.append(float(loss))
        parts.append(each)
        right = ((logits > 0) == labels.bool()).all(1) if graph.get("multi_label") else logits.argmax(1) == labels
        correct.append(int(right.sum()))
    return {"losses": out, "correct": correct, **({"parts": parts} if "losses" in graph else {})}


def rounded(value):
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    return float(f"{value:.8g}") if isinstance(value, float) else value


if __name__ == "__main__":
    names = [each for each in sys.argv[1:] if each != "--exact"] or sorted(p.name[:-len(".graph.json")] for p in FOLDER.glob("*.graph.json"))
    for name in names:
        graph = json.loads((FOLDER / f"{name}.graph.json").read_text())
        what = losses if "training" in graph else gradients
        # Gradients in float64: what fp32 may differ by is then ours alone. Losses as PyTorch trains, in fp32.
        result = what(graph, torch.float32 if "training" in graph else torch.float64)
        if "training" in graph and "--exact" in sys.argv:
            exact = what(graph, torch.float64)["losses"]
            apart = max(abs(a - b) / b for a, b in zip(result["losses"], exact))
            print(name, "fp32 and float64 apart by", apart, result["losses"])
        (FOLDER / f"{name}.json").write_text(json.dumps(rounded(result), separators=(",", ":")) + "\n")
