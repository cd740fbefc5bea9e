"""Makes test/golden/fasterrcnn-training/*.json: the four losses of torchvision's fasterrcnn_resnet50_fpn, or the five of its
maskrcnn_resnet50_fpn, their gradients, and the losses of ten updates, with the weights and images of oracle_weights.py and samples by given random numbers. Run by hand with
torchvision 0.14:  python3 test/oracle/detector_losses_golden.py [case ...]

Batch norms are frozen, as of its released models, and so are conv1 and layer1, as it trains them. Each case also runs in
float64, with the same anchors and regions: gradients are told by products with random vectors, in both precisions.
"""

import pathlib
import sys

import numpy as np
import torch
import torchvision
from torchvision.models.detection import FasterRCNN, MaskRCNN
from torchvision.models.detection.backbone_utils import _resnet_fpn_extractor
from torchvision.models.detection.image_list import ImageList

import detector_cases
import fasterrcnn_golden
import golden_files
import oracle_weights

OUT = pathlib.Path(__file__).resolve().parent.parent / "golden" / "fasterrcnn-training"
# So few that no two have scores so near to one another that precision decides their order.
PROPOSALS = 300
DIRECTIONS = 4

# images: name, height, width; objects: class numbers from 0 and boxes in pixels of the tensor. With masks those of pictures,
# where they are light, within the box; 32 regions of an image are learned then.
CASES = {
    "two": dict(
        images=[("train.10", 192, 256), ("train.11", 176, 240)],
        objects=[
            [(0, [20, 30, 120, 180]), (16, [80.5, 60.25, 250, 170]), (61, [200, 5, 231, 38])],
            [(43, [3, 3, 200, 160]), (43, [150, 100, 190, 170])],
        ],
        rate=0.0001,
        updates=10,
    ),
    "masks": dict(
        images=[("train.30", 128, 160), ("train.31", 112, 150)],
        objects=[
            [(0, [20, 30, 120, 110]), (16, [80.5, 10.25, 160, 90]), (61, [100, 5, 131, 38])],
            [(43, [3, 3, 100, 100]), (43, [70, 60, 110, 105])],
        ],
        masks=True,
        updates=0,
    ),
}
LIGHT = 110
# Logits on both sides of 0 in every mask.
MASKS = {"roi_heads.mask_predictor.mask_fcn_logits.weight": detector_cases.around(0.35)}
MASK_REGIONS = 32


class Sampler:
    """BalancedPositiveNegativeSampler by given numbers, the smallest first: `rows` of each image, one a box."""

    def __init__(self, count, share):
        self.count, self.share = count, share
        self.rows, self.kept = None, None

    def __call__(self, matched):
        found = []
        self.kept = []
        for labels, numbers in zip(matched, self.rows(matched)):
            def smallest(which, most):
                at = torch.where(which)[0]
                return at[numbers[at].argsort(stable=True)][:most]

            positive = smallest(labels >= 1, int(self.count * self.share))
            negative = smallest(labels == 0, self.count - len(positive))
            masks = [torch.zeros(len(labels), dtype=torch.uint8) for _ in range(2)]
            for mask, chosen in zip(masks, (positive, negative)):
                mask[chosen] = 1
            found.append(masks)
            self.kept.append((positive, negative))
        return [pair[0] for pair in found], [pair[1] for pair in found]


def network(masks=False):
    body = torchvision.models.resnet50(weights=None, norm_layer=torchvision.ops.FrozenBatchNorm2d)
    kind = MaskRCNN if masks else FasterRCNN
    model = kind(_resnet_fpn_extractor(body, 3), num_classes=91, rpn_post_nms_top_n_train=PROPOSALS)
    # Their epsilon is 0 in released models alone.
    for module in model.modules():
        if isinstance(module, torchvision.ops.FrozenBatchNorm2d):
            module.eps = 1e-5
    return oracle_weights.fill(model, ranges(masks)).train()


def ranges(masks=False):
    return {**fasterrcnn_golden.MANY, **(MASKS if masks else {})}


def mask(name, box, height, width):
    """1 where a picture is light, within the box."""
    x1, y1, x2, y2 = box
    light = oracle_weights.pixels(name, height, width)[0] >= LIGHT
    y, x = np.mgrid[:height, :width]
    return torch.from_numpy((light & (x >= x1) & (x < x2) & (y >= y1) & (y < y2)).astype(np.uint8))


def losses(model, images, objects, step, dtype, masks=None):
    """The losses of a step by their names here; masks: of each image, of each object."""
    targets = [
        dict(
            boxes=torch.tensor([box for _, box in each], dtype=dtype),
            labels=torch.tensor([number + 1 for number, _ in each]),
        )
        for each in objects
    ]
    for target, own in zip(targets, masks or []):
        target["masks"] = torch.stack(own)
    most = max(len(each) for each in objects)

    def numbers(name, width, matched):
        table = oracle_weights.uniform(f"noise{step}.training.{name}", len(matched) * width, 0, 1)
        return torch.from_numpy(table.reshape(len(matched), width))

    def of_anchors(matched):
        return numbers("proposal_losses.drawn", len(matched[0]), matched)

    def of_regions(matched):
        # Objects follow the proposals, of which there may be fewer than rows for them.
        rows = numbers("sampled.drawn", PROPOSALS + most, matched)
        counts = [len(each) - len(own) for each, own in zip(matched, objects)]
        return [
            torch.cat([row[:count], row[PROPOSALS : PROPOSALS + len(own)]])
            for row, count, own in zip(rows, counts, objects)
        ]

    samplers = [Sampler(256, 0.5), Sampler(MASK_REGIONS if masks else 512, 0.25)]
    samplers[0].rows, samplers[1].rows = of_anchors, of_regions
    model.rpn.fg_bg_sampler, model.roi_heads.fg_bg_sampler = samplers
    features = model.backbone(images.tensors)
    proposals, of_rpn = model.rpn(images, features, targets)
    _, of_heads = model.roi_heads(features, proposals, images.image_sizes, targets)
    found = {
        "proposal_losses.objectness": of_rpn["loss_objectness"],
        "proposal_losses.boxes": of_rpn["loss_rpn_box_reg"],
        "region_losses.classes": of_heads["loss_classifier"],
        "region_losses.boxes": of_heads["loss_box_reg"],
        **({"mask_losses.masks": of_heads["loss_mask"]} if masks else {}),
    }
    return found, [each.kept for each in samplers], proposals


def products(model):
    """Of each trained parameter its gradient's norm, and products with random vectors."""
    made = {}
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        gradient = parameter.grad.double().flatten()
        directions = [
            torch.from_numpy(oracle_weights.uniform(f"direction{i}", len(gradient), -1, 1)).double()
            for i in range(DIRECTIONS)
        ]
        made[name] = [float(gradient.norm())] + [float(gradient @ each) for each in directions]
    return made


def compute(case):
    images, sizes = detector_cases.inputs(None, case["images"], torch.float32, tensor=True)
    made = {}
    masked = case.get("masks", False)
    masks = masked and [
        [mask(f"{name}.mask{index}", box, height, width) for index, (_, box) in enumerate(each)]
        for (name, height, width), each in zip(case["images"], case["objects"])
    ]
    for dtype in (torch.float32, torch.float64):
        model = network(masked).to(dtype)
        batch = ImageList(images.tensors.to(dtype), sizes)
        found, kept, proposals = losses(model, batch, case["objects"], 0, dtype, masks)
        sum(found.values()).backward()
        made[dtype] = dict(
            losses={name: float(value) for name, value in found.items()}, gradients=products(model), kept=kept,
            proposals=proposals,
        )
        print(dtype, made[dtype]["losses"], [len(each) for each in proposals], [[[len(x) for x in p] for p in k] for k in kept], flush=True)
    a, b = (made[dtype]["kept"] for dtype in (torch.float32, torch.float64))
    same = all(torch.equal(x, y) for s, t in zip(a, b) for p, q in zip(s, t) for x, y in zip(p, q))
    near = [float((x - y).abs().max()) for x, y in zip(*(made[dtype]["proposals"] for dtype in made))]
    print("proposals differ by", near)
    assert max(near) < 0.1, "float32 and float64 have other proposals"
    assert same, "float32 and float64 drew other anchors or regions"

    model = network(masked)
    optimizer = torch.optim.SGD(
        [each for each in model.parameters() if each.requires_grad], lr=case.get("rate", 0), momentum=0.9, weight_decay=1e-4
    )
    steps = []
    for step in range(case["updates"]):
        found, _, _ = losses(model, images, case["objects"], step, torch.float32)
        optimizer.zero_grad()
        sum(found.values()).backward()
        optimizer.step()
        steps.append({name: float(value) for name, value in found.items()})
        print(step, float(sum(found.values())), flush=True)
    return dict(
        images=[dict(name=name, size=[height, width]) for name, height, width in case["images"]],
        canvas=list(images.tensors.shape),
        objects=[[dict(label=label, box=box) for label, box in each] for each in case["objects"]],
        ranges=ranges(masked),
        **({"light": LIGHT} if masked else {}),
        **({"rate": case["rate"]} if "rate" in case else {}),
        float32={key: made[torch.float32][key] for key in ("losses", "gradients")},
        float64={key: made[torch.float64][key] for key in ("losses", "gradients")},
        **({"steps": steps} if steps else {}),
    )


if __name__ == "__main__":
    golden_files.write_cases(OUT, CASES, compute, sys.argv[1:])
