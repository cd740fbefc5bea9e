"""Makes test/golden/quantized/tiny.json: what a small network of 8-bit numbers gives, its integer arithmetic written out in numpy.
Activations are uint8 with a scale and a zero point from their least and greatest number, weights int8 with a scale for each output
channel, biases int32; products are added up in integers. The first and the last layer compute in floating point, with weights that
are stored as int8. Run by hand: python3 test/oracle/quantized_golden.py
"""

import json
import pathlib

import numpy as np

import oracle_weights

OUT = pathlib.Path(__file__).resolve().parent.parent / "golden" / "quantized" / "tiny.json"
SIDE = 16
IMAGES = 6
SHAPES = {
    "a.conv": (8, 3, 3, 3),
    "b.conv": (12, 8, 3, 3),
    "c.conv": (12, 12, 3, 3),
    "d.conv": (4, 12, 1, 1),
    "d.fc": (6, 16),
    "head.fc": (5, 6),
}


def weight(name):
    return oracle_weights.tensor(f"{name}.weight", SHAPES[name])


def bias(name):
    return oracle_weights.tensor(f"{name}.bias", SHAPES[name][:1])


def image(index):
    pixels = oracle_weights.pixels(f"calibration.{index}", SIDE, SIDE).astype(np.float64) / 255
    return ((pixels - 0.5) / 0.25).astype(np.float32)[None]


def windows(x, kernel, pad, stride, fill=0):
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), constant_values=fill)
    view = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), (2, 3))
    return view[:, :, ::stride, ::stride]


def conv(x, w, pad):
    return np.einsum("nchwij,ocij->nohw", windows(x, w.shape[2], pad, 1), w)


def max_pool(x):
    return windows(x, 3, 1, 2, np.iinfo(np.int64).min if x.dtype.kind == "i" else -np.inf).max((4, 5))


def per_channel(b):
    return b[None, :, None, None]


def fp32(x):
    """All values between the layers, by name."""
    x = x.astype(np.float64)
    v = {}
    v["a"] = np.maximum(conv(x, weight("a.conv"), 1) + per_channel(bias("a.conv")), 0)
    v["b"] = np.maximum(conv(v["a"], weight("b.conv"), 1) + per_channel(bias("b.conv")), 0)
    v["pool"] = max_pool(v["b"])
    v["branch"] = conv(v["pool"], weight("c.conv"), 1) + per_channel(bias("c.conv"))
    v["c"] = np.maximum(v["branch"] + v["pool"], 0)
    v["side"] = np.clip(conv(v["c"], weight("d.conv"), 0) + per_channel(bias("d.conv")), 0, 6)
    v["join"] = np.concatenate([v["side"], v["c"]], 1)
    v["mean"] = v["join"].mean((2, 3), keepdims=True)
    v["fc"] = v["mean"][:, :, 0, 0] @ weight("d.fc").T + bias("d.fc")
    v["logits"] = v["fc"] @ weight("head.fc").T + bias("head.fc")
    return v


def affine(values):
    low, high = min(0, min(v.min() for v in values)), max(0, max(v.max() for v in values))
    scale = np.float32((high - low) / 255)
    return float(scale), int(np.rint(-low / float(scale)))


def quantized(images):
    seen = [fp32(x) for x in images]
    scales = {name: affine([v[name] for v in seen]) for name in seen[0]}
    # A maximum is one of the numbers that it is of.
    scales["pool"] = scales["b"]

    def round_to(x, name):
        scale, zero = scales[name]
        return np.clip(np.rint(x / scale) + zero, 0, 255).astype(np.int64)

    def real(q, name):
        scale, zero = scales[name]
        return (q - zero) * scale

    def whole_weight(name):
        w = weight(name).astype(np.float64)
        magnitude = np.abs(w.reshape(len(w), -1)).max(1)
        by_channel = (magnitude / 127).astype(np.float32).astype(np.float64)
        return np.rint(w / by_channel.reshape(-1, *[1] * (w.ndim - 1))).astype(np.int64), by_channel

    def stored_weight(name):
        whole, by_channel = whole_weight(name)
        return whole * by_channel.reshape(-1, *[1] * (whole.ndim - 1))

    def integer_layer(q, given, name, product):
        whole, by_channel = whole_weight(name)
        scale, zero = scales[given]
        products = (by_channel.astype(np.float32) * np.float32(scale)).astype(np.float64)
        whole_bias = np.rint(bias(name) / products).astype(np.int64)
        total = product(q - zero, whole)
        shape = (1, -1, *[1] * (total.ndim - 2))
        return (total + whole_bias.reshape(shape)) * products.reshape(shape)

    logits = []
    for x in images:
        first = conv(x.astype(np.float64), stored_weight("a.conv"), 1) + per_channel(bias("a.conv"))
        v = {"a": round_to(np.maximum(first, 0), "a")}
        v["b"] = round_to(integer_layer(v["a"], "a", "b.conv", lambda q, w: conv(q, w, 1)), "b")
        v["pool"] = max_pool(v["b"])
        branch = round_to(integer_layer(v["pool"], "pool", "c.conv", lambda q, w: conv(q, w, 1)), "branch")
        v["c"] = round_to(real(branch, "branch") + real(v["pool"], "pool"), "c")
        side = round_to(integer_layer(v["c"], "c", "d.conv", lambda q, w: conv(q, w, 0)), "side")
        join = np.concatenate([real(side, "side"), real(v["c"], "c")], 1)
        mean = real(round_to(join, "join"), "join").mean((2, 3), keepdims=True)
        v["mean"] = round_to(mean, "mean")
        fc = integer_layer(v["mean"][:, :, 0, 0], "mean", "d.fc", lambda q, w: q @ w.T)
        logits.append((real(round_to(fc, "fc"), "fc") @ stored_weight("head.fc").T + bias("head.fc"))[0])
    return seen, scales, logits


images = [image(i) for i in range(IMAGES)]
seen, scales, logits = quantized(images)
OUT.parent.mkdir(parents=True, exist_ok=True)
OUT.write_text(
    json.dumps(
        {
            "images": IMAGES,
            "scales": {name: list(pair) for name, pair in scales.items()},
            "logits": [[float(f"{value:.7g}") for value in row] for row in logits],
            "fp32": [[float(f"{value:.7g}") for value in v["logits"][0]] for v in seen],
        },
        indent=1,
    )
    + "\n"
)
