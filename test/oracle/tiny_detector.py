"""A detector of five layers, as test/compiler/training/targets.test.ts writes it, for code that says what it is trained by."""

import torch
import torch.nn.functional as F
import torchvision

import oracle_weights

SIZES, RATIOS, STRIDE = [128, 256], [0.5, 1, 2], 16
CLASSES = 3
ANCHORS = len(SIZES) * len(RATIOS)
# Proposals of an image: as many by score, of which as many stay; and how much they may overlap.
TOP, KEEP, NMS = 400, 300, 0.7
RANGES = {
    "objectness.weight": (-0.5, 0.5),
    "deltas.weight": (-0.06, 0.06),
    "head.logits.weight": (-0.6, 0.6),
    "head.deltas.weight": (-0.3, 0.3),
}
DIRECTIONS = 3


class Tiny:
    """`kinds` is 2 where objectness is a softmax; the head has boxes of so many classes."""

    def __init__(self, kinds, boxes, pool):
        shapes = {
            "features.weight": [8, 3, STRIDE, STRIDE],
            "objectness.weight": [kinds * ANCHORS, 8, 1, 1],
            "objectness.bias": [kinds * ANCHORS],
            "deltas.weight": [4 * ANCHORS, 8, 1, 1],
            "deltas.bias": [4 * ANCHORS],
            "head.logits.weight": [CLASSES + 1, 8],
            "head.logits.bias": [CLASSES + 1],
            "head.deltas.weight": [4 * boxes, 8],
            "head.deltas.bias": [4 * boxes],
        }
        self.weights = {
            path: torch.from_numpy(oracle_weights.tensor(path, shape, RANGES)).requires_grad_()
            for path, shape in shapes.items()
        }
        self.pool = pool

    def maps(self, image):
        w = self.weights
        features = F.conv2d(image, w["features.weight"], stride=STRIDE)
        objectness = F.conv2d(features, w["objectness.weight"], w["objectness.bias"])
        return features, objectness, F.conv2d(features, w["deltas.weight"], w["deltas.bias"])

    def head(self, features, regions):
        """Of regions [R, 5]: logits and deltas."""
        w = self.weights
        pooled = self.pool(features, regions).mean((2, 3))
        logits = F.linear(pooled, w["head.logits.weight"], w["head.logits.bias"])
        return logits, F.linear(pooled, w["head.deltas.weight"], w["head.deltas.bias"])

    def gradients(self, losses):
        """Of each weight the norm of its gradient, and products with random vectors."""
        for weight in self.weights.values():
            weight.grad = None
        sum(losses.values()).backward()
        made = {}
        for path, weight in self.weights.items():
            gradient = weight.grad.double().flatten()
            vectors = [oracle_weights.uniform(f"direction{i}", len(gradient), -1, 1) for i in range(DIRECTIONS)]
            made[path] = [float(gradient.norm())] + [float(gradient @ torch.from_numpy(each).double()) for each in vectors]
        return made


def roi_pool(features, regions):
    return torchvision.ops.roi_pool(features, regions, (2, 2), 1 / STRIDE)


def roi_align(features, regions):
    return torchvision.ops.roi_align(features, regions, (2, 2), 1 / STRIDE, 0, aligned=True)


def image_of(case, canvas):
    values = oracle_weights.uniform(f"image{case}", canvas[0] * 3 * canvas[1] * canvas[2], -2, 2)
    return torch.from_numpy(values.reshape(canvas[0], 3, canvas[1], canvas[2]))


def numbers_of(case, layer, images, count):
    """What decides who is drawn, a row for each image: the smallest are."""
    return oracle_weights.uniform(f"noise{case}.training.{layer}", images * count, 0, 1).reshape(images, count)


def rounded(value, digits=6):
    if isinstance(value, dict):
        return {key: rounded(each, digits) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(each, digits) for each in value]
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value
