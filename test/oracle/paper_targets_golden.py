"""Makes test/golden/training/paper-targets.json: what py-faster-rcnn's own layers label, draw and make of a tiny detector's
proposals, with the losses of its train.prototxt. Run by hand with torch 1.13 and torchvision, beside a copy of its repository:

    python3 test/oracle/paper_targets_golden.py PATH_OF_PY_FASTER_RCNN

Its files are of Python 2 and are rewritten by lib2to3 as they are read; Caffe, the compiled overlaps and old numpy's names are
stood in for. What it draws at random is drawn by given numbers instead: of the anchors those with the largest are disabled, of
the regions those with the smallest are taken. Its losses are Caffe's layers, written here by their documentation.
"""

import json
import lib2to3.refactor
import pathlib
import sys
import types

import numpy as np
import torch
import torch.nn.functional as F

import tiny_detector as tiny

FILE = pathlib.Path(__file__).resolve().parent.parent / "golden" / "training" / "paper-targets.json"
# Height and width of the canvas, pixels of it to one of the image; objects: class and box, which ends behind its last pixel.
CASES = [
    dict(
        canvas=(320, 400), size=(310, 400), scale=2,
        objects=[(0, [16, 8, 150, 140]), (2, [100, 40, 350, 310]), (1, [200, 5, 231, 38]), (2, [10, 150, 120, 250])],
    ),
    dict(canvas=(320, 320), size=(320, 320), scale=1, objects=[(1, [30, 30, 300, 290])]),
    # More regions of objects than may be drawn.
    dict(
        canvas=(448, 448), size=(448, 448), scale=1.25,
        objects=[
            (i % 3, [16 * x + i, 16 * y, 16 * x + w, 16 * y + h]) for i, (x, y, w, h) in enumerate(
                [(1, 1, 256, 256), (7, 2, 250, 260), (2, 8, 262, 250), (9, 9, 256, 256), (0, 6, 180, 360), (6, 0, 360, 182),
                 (13, 1, 180, 362), (1, 14, 364, 180), (3, 3, 128, 128), (12, 12, 130, 126), (18, 16, 128, 128), (5, 16, 126, 130)]
            )
        ],
    ),
]


class Numpy:
    """numpy, with what it was called, and with a `round` that can be an index."""

    float = float

    def __getattr__(self, name):
        return getattr(np, name)

    @staticmethod
    def round(x, *rest):
        rounded = np.round(x, *rest)
        return int(rounded) if np.ndim(rounded) == 0 else rounded


def overlaps(boxes, others):
    """lib/utils/bbox.pyx: intersection over union of boxes that end with their last pixel."""
    a, b = boxes[:, None, :], others[None, :, :]
    width = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0]) + 1
    height = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1]) + 1
    both = np.where((width > 0) & (height > 0), width * height, 0)
    area = lambda x: (x[..., 2] - x[..., 0] + 1) * (x[..., 3] - x[..., 1] + 1)
    return both / (area(a) + area(b) - both)


def load(path):
    fixes = [f"lib2to3.fixes.fix_{name}" for name in ("print", "xrange", "except", "dict", "has_key", "basestring")]
    tool = lib2to3.refactor.RefactoringTool(fixes)
    loaded = {}

    def module(name, **members):
        made = sys.modules[name] = types.ModuleType(name)
        made.__dict__.update(members)
        return made

    def read(name, file, change=lambda text: text):
        made = module(name, __file__=str(path / file))
        if "." in name:
            package, last = name.split(".")
            setattr(sys.modules[package], last, made)
        text = change((path / file).read_text())
        exec(compile(str(tool.refactor_string(text + "\n", name)), file, "exec"), made.__dict__)
        if "np" in made.__dict__:
            made.np = Numpy()
        loaded[name.split(".")[-1]] = made
        return made

    class Dictionary(dict):
        __getattr__, __setattr__ = dict.__getitem__, dict.__setitem__

    class Layer:
        pass

    module("easydict", EasyDict=Dictionary)
    module("caffe", Layer=Layer)
    module("yaml", load=lambda text: text)
    for package in ("fast_rcnn", "utils", "nms"):
        module(package).__path__ = []
    module("utils.cython_bbox", bbox_overlaps=overlaps)
    cfg = read("fast_rcnn.config", "lib/fast_rcnn/config.py").cfg
    read("fast_rcnn.bbox_transform", "lib/fast_rcnn/bbox_transform.py")
    suppress = read("nms.py_cpu_nms", "lib/nms/py_cpu_nms.py").py_cpu_nms
    module("fast_rcnn.nms_wrapper", nms=suppress)
    read("generate_anchors", "lib/rpn/generate_anchors.py")
    read("anchor_target_layer", "lib/rpn/anchor_target_layer.py")
    read("proposal_layer", "lib/rpn/proposal_layer.py")
    # Python 2 divides whole numbers by whole numbers, and numpy took any number for an index.
    changed = lambda text: text.replace("BATCH_SIZE / ", "BATCH_SIZE // ").replace("clss[ind]", "int(clss[ind])")
    read("proposal_target_layer", "lib/rpn/proposal_target_layer.py", changed)
    # experiments/cfgs/faster_rcnn_end2end.yml
    cfg.TRAIN.BG_THRESH_LO, cfg.TRAIN.BBOX_NORMALIZE_TARGETS_PRECOMPUTED = 0.0, True
    cfg.TRAIN.RPN_PRE_NMS_TOP_N, cfg.TRAIN.RPN_POST_NMS_TOP_N, cfg.TRAIN.RPN_NMS_THRESH = tiny.TOP, tiny.KEEP, tiny.NMS
    return types.SimpleNamespace(**loaded)


class Blob:
    def __init__(self, data=None):
        self.data = None if data is None else np.asarray(data, np.float32)

    def reshape(self, *shape):
        self.data = np.zeros(shape, np.float32)


class Choice:
    """Stands in for numpy's random `choice`: those with the smallest numbers, or the largest."""

    def __init__(self, numbers, largest):
        self.numbers, self.largest = numbers, largest

    def choice(self, which, size, replace):
        assert not replace
        order = which[np.argsort(self.numbers[which], kind="stable")]
        return order[len(order) - int(size) :] if self.largest else order[: int(size)]


def layer(kind, bottom, count, **params):
    made, top = kind(), [Blob() for _ in range(count)]
    made.param_str_, made.phase = params, "TRAIN"
    made.setup(bottom, top)
    made.forward(bottom, top)
    return [each.data for each in top], made


def smooth_l1(x, sigma):
    """caffe-fast-rcnn's smooth_l1_loss_layer.cu."""
    return torch.where(x.abs() < 1 / sigma**2, 0.5 * (sigma * x) ** 2, x.abs() - 0.5 / sigma**2)


def run(theirs, index, case):
    height, width = case["canvas"]
    network = tiny.Tiny(kinds=2, boxes=tiny.CLASSES + 1, pool=tiny.roi_pool)
    features, objectness, deltas = network.maps(tiny.image_of(index, (1, height, width)))
    rows, columns = features.shape[2:]
    places = rows * columns * tiny.ANCHORS
    info = Blob([[*case["size"], case["scale"]]])
    # lib/roi_data_layer/minibatch.py: boxes that end with the image's last pixel, scaled as they are.
    pixel = case["scale"]
    truth = Blob([[x1, y1, x2 - pixel, y2 - pixel, label + 1] for label, (x1, y1, x2, y2) in case["objects"]])
    scales = dict(feat_stride=tiny.STRIDE, scales=[size // 16 for size in tiny.SIZES])

    # Of the anchors inside of the image, which their layer numbers by themselves.
    numbers = tiny.numbers_of(index, "proposal_losses.drawn", 1, places)[0]
    shifts = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), 2).reshape(-1, 1, 2) * tiny.STRIDE
    cells = theirs.generate_anchors.generate_anchors(scales=np.array(scales["scales"]))
    anchors = (np.tile(shifts, 2) + cells).reshape(-1, 4)
    inside = (anchors[:, :2].min(1) >= 0) & (anchors[:, 2] < case["size"][1]) & (anchors[:, 3] < case["size"][0])
    theirs.anchor_target_layer.npr = Choice(numbers[inside], largest=True)
    bottom = [Blob(objectness.detach()), truth, info]
    (labels, *blobs), _ = layer(theirs.anchor_target_layer.AnchorTargetLayer, bottom, 4, **scales)
    by_place = lambda x, k: x.reshape(1, tiny.ANCHORS, k, rows, columns).transpose(0, 3, 4, 1, 2).reshape(-1, k)
    labels = labels.reshape(1, tiny.ANCHORS, rows, columns).transpose(0, 2, 3, 1).ravel()
    targets = blobs[0].reshape(1, tiny.ANCHORS, 4, rows, columns).transpose(0, 3, 4, 1, 2).reshape(-1, 4)

    scores = F.softmax(objectness.reshape(1, 2, -1), 1).reshape(objectness.shape)
    bottom = [Blob(scores.detach()), Blob(deltas.detach()), info]
    [proposals], _ = layer(theirs.proposal_layer.ProposalLayer, bottom, 1, **scales)

    # Objects follow the proposals, of which there may be fewer than rows for them.
    objects = len(case["objects"])
    numbers = tiny.numbers_of(index, "sampled.drawn", 1, tiny.KEEP + objects)[0]
    drawn = Choice(np.concatenate([numbers[: len(proposals)], numbers[tiny.KEEP :]]), largest=False)
    theirs.proposal_target_layer.npr = drawn
    bottom = [Blob(proposals), truth]
    made, _ = layer(theirs.proposal_target_layer.ProposalTargetLayer, bottom, 5, num_classes=tiny.CLASSES + 1)
    regions, classes, goals, inner, outer = made
    classes = classes.astype(int).ravel()
    # Where each stands among the proposals and the objects.
    everything = np.vstack([proposals[:, 1:], truth.data[:, :4]])
    at = np.array([np.flatnonzero((everything == region[1:]).all(1))[0] for region in regions])
    assert len(set(at)) == len(at), "two regions are the same"
    order = at.argsort()

    # The losses of models/pascal_voc/VGG16/faster_rcnn_end2end/train.prototxt.
    t = lambda x: torch.from_numpy(np.ascontiguousarray(x))
    logits, moves = network.head(features, t(regions))
    pairs = objectness.reshape(1, 2, -1)
    known = t(blobs[2])
    ordered = labels.reshape(rows, columns, tiny.ANCHORS).transpose(2, 0, 1).reshape(1, -1)
    losses = {
        "proposal_losses.objectness": F.cross_entropy(pairs, t(ordered).long(), ignore_index=-1),
        "proposal_losses.boxes": (known * smooth_l1(t(blobs[1]) * (deltas - t(blobs[0])), 3)).sum(),
        "region_losses.classes": F.cross_entropy(logits, t(classes).long()),
        "region_losses.boxes": (t(outer) * smooth_l1(t(inner) * (moves - t(goals)), 1)).sum() / len(regions),
    }
    own = [i for i in order if classes[i] > 0]
    place = lambda i: int(at[i] if at[i] < len(proposals) else at[i] - len(proposals) + tiny.KEEP)
    return dict(
        canvas=[1, 3, height, width],
        sizes=[case["size"]],
        scale=case["scale"],
        objects=[[dict(label=label, box=box) for label, box in case["objects"]]],
        losses={name: float(value) for name, value in losses.items()},
        gradients=network.gradients(losses),
        anchors=[
            dict(
                positive=np.flatnonzero(labels == 1).tolist(),
                negative=np.flatnonzero(labels == 0).tolist(),
                targets=targets[labels == 1].tolist(),
            )
        ],
        regions=[
            dict(
                positive=[place(i) for i in own],
                negative=[place(i) for i in order if classes[i] == 0],
                classes=[int(classes[i]) - 1 for i in own],
                boxes=regions[own, 1:].tolist(),
                targets=[goals[i, 4 * classes[i] : 4 * classes[i] + 4].tolist() for i in own],
            )
        ],
    )


if __name__ == "__main__":
    theirs = load(pathlib.Path(sys.argv[1]).resolve())
    made = [run(theirs, index, case) for index, case in enumerate(CASES)]
    for each in made:
        print(each["losses"])
        print([[len(own["positive"]), len(own["negative"])] for own in each["anchors"] + each["regions"]])
    FILE.write_text(json.dumps(tiny.rounded(made), separators=(",", ":")).replace(',"', ',\n"') + "\n")
