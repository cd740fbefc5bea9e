"""What the scripts that write torchvision's detectors down have in common: images, weights, stages and how a case is written."""

import base64
import json
import math

import torch
from torchvision.models.detection.image_list import ImageList

import oracle_weights


def around(bound):
    return [-bound, bound]


def small_variances(tensors):
    """Ranges for what the backbone computes otherwise, at a tenth of the size before batch norms, so that epsilon counts."""
    ranges = {}
    for name, shape in tensors.items():
        if not name.startswith("backbone.body."):
            continue
        low, high = oracle_weights.bounds(name, list(shape))
        factor = 0.01 if name.endswith("running_var") else 0.1
        if len(shape) == 4 or name.endswith(("running_mean", "running_var")):
            ranges[name] = [low * factor, high * factor]
    return ranges


def inputs(model, images, dtype, tensor=False, shorter=800, longest=1333, **_):
    """The batch as the network sees it, and the images' own sizes."""
    arrays = [torch.from_numpy(oracle_weights.pixels(*image)).to(dtype) for image in images]
    sizes = [tuple(array.shape[1:]) for array in arrays]
    if not tensor:
        model.transform.min_size, model.transform.max_size = (shorter,), longest
        return model.transform([array / 255 for array in arrays])[0], sizes
    largest = [math.ceil(max(side) / 32) * 32 for side in zip(*sizes)]
    batch = torch.zeros(len(arrays), 3, *largest, dtype=dtype)
    for row, array, (height, width) in zip(batch, arrays, sizes):
        row[:, :height, :width] = (array - 127) / 64
    return ImageList(batch, sizes), sizes


def agreement(found, found64, keys=("boxes", "scores")):
    """The largest differences between what two precisions find; infinite where labels differ."""
    pairs = list(zip(found, found64))
    same = all(torch.equal(a["labels"], b["labels"]) for a, b in pairs)
    return {
        key: max((float((a[key] - b[key]).abs().max()) if len(a[key]) else 0) for a, b in pairs) if same else math.inf
        for key in keys
    }


def both_precisions(model, case, run):
    """Images and stages in float32 and float64, and how what is found agrees."""
    how = {key: value for key, value in case.items() if key in ("tensor", "shorter", "longest")}
    with torch.no_grad():
        images, sizes = inputs(model, case["images"], torch.float32, **how)
        stages = run(model, images, sizes)
        model.double()
        images64, _ = inputs(model, case["images"], torch.float64, **how)
        stages64 = run(model, images64, sizes)
    return images, stages, images64, stages64, agreement(stages["found"], stages64["found"])


def summary(x):
    """By which a stage that differs is found: shape, mean, largest magnitude and 16 values spread over it."""
    flat = x.flatten().double()
    at = [len(flat) * i // 16 for i in range(16)] if len(flat) else []
    return dict(
        shape=list(x.shape),
        mean=float(flat.mean()) if at else 0,
        absMax=float(flat.abs().max()) if at else 0,
        values=[float(flat[i]) for i in at],
    )


def floats(x):
    return base64.b64encode(x.contiguous().numpy().astype("<f4").tobytes()).decode()


def golden(case, c, **stages):
    """A case as it is written; `stages` are those between the image and what is found."""
    return dict(
        input={
            **{key: value for key, value in case.items() if key in ("tensor", "shorter", "longest")},
            "images": [dict(name=name, size=[height, width]) for name, height, width in case["images"]],
        },
        epsilon=0 if case.get("released") else 1e-5,
        ranges=c["ranges"],
        sizes=[list(size) for size in c["images"].image_sizes],
        image=summary(c["images"].tensors),
        **stages,
        found=[
            dict(boxes=floats(each["boxes"]), scores=floats(each["scores"]), labels=each["labels"].tolist(), **counts)
            for each, counts in zip(c["stages"]["found"], c["counts"])
        ],
        margins={key: None if value == math.inf else value for key, value in c["margins"].items()},
        float64=c["differ"],
    )


def write(folder, name, data, ends):
    """JSON with a line for each of its values that ends so."""
    text = json.dumps(data, separators=(",", ":"))
    for end in ends:
        text = text.replace(f'{end},"', f'{end},\n"')
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(text + "\n")


def write_shapes(folder, model):
    write(folder, "tensors", {key: list(value.shape) for key, value in model.state_dict().items()}, ["]"])
