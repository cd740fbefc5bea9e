"""Makes test/golden/training/detectron2-targets.json: what Detectron2's own code labels, draws and makes of a tiny detector's
proposals, and its losses. Run by hand with torch 1.13 and torchvision, beside a copy of its repository:

    python3 test/oracle/detectron2_targets_golden.py PATH_OF_DETECTRON2

Nothing of what it depends on beside torch is needed: packages that its files import and this does not use are stood in for.
What it draws at random is drawn by given numbers instead: its code asks for a permutation of what may be drawn, and gets their
order by number.
"""

import importlib.abc
import importlib.machinery
import json
import pathlib
import sys
import types

import torch

import tiny_detector as tiny

FILE = pathlib.Path(__file__).resolve().parent.parent / "golden" / "training" / "detectron2-targets.json"
# Height and width of the canvas; of each image its size and its objects, class and box.
CASES = [
    dict(
        canvas=(256, 320),
        images=[
            ((256, 304), [(0, [16, 8, 150, 140]), (2, [100.5, 40.25, 290, 250]), (1, [200, 5, 231, 38]), (2, [10, 150, 120, 250])]),
            ((240, 320), [(1, [0, 0, 240, 230])]),
        ],
    ),
    dict(
        canvas=(224, 256),
        images=[((224, 256), []), ((208, 240), [(0, [30, 30, 160, 158]), (1, [46, 30, 176, 158])])],
    ),
    # More anchors of objects than may be drawn.
    dict(
        canvas=(448, 448),
        images=[
            (
                (448, 448),
                [(i % 3, [16.0 * x + i, 16.0 * y, 16.0 * x + w, 16.0 * y + h]) for i, (x, y, w, h) in enumerate(
                    [(1, 1, 256, 256), (7, 2, 250, 260), (2, 8, 262, 250), (9, 9, 256, 256), (0, 6, 180, 360), (6, 0, 360, 182),
                     (13, 1, 180, 362), (1, 14, 364, 180), (3, 3, 128, 128), (12, 12, 130, 126), (18, 16, 128, 128), (5, 16, 126, 130)]
                )],
            ),
        ],
    ),
]


class Anything(type):
    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return cls


class Unused(metaclass=Anything):
    """Any class, function or decorator of a package that is not used."""

    def __init__(self, *_, **__):
        pass

    def __call__(self, *given, **_):
        return given[0] if len(given) == 1 and callable(given[0]) else self

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self


class UnusedPackage(types.ModuleType):
    __path__ = []
    __version__ = "9.0"

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Unused


class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    OF = {"fvcore", "iopath", "yacs", "omegaconf", "hydra", "pycocotools", "tabulate", "termcolor", "cloudpickle"}

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.OF or name.startswith("detectron2.data"):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return UnusedPackage(spec.name)

    def exec_module(self, module):
        pass


def load(path):
    import pip._vendor.packaging.version as version

    sys.meta_path.insert(0, Finder())
    sys.modules["packaging"], sys.modules["packaging.version"] = sys.modules["pip._vendor.packaging"], version
    sys.path.insert(0, str(path))
    import detectron2  # noqa: F401

    # Without what their packages import beside what is needed.
    for name in ("utils", "modeling", "modeling.roi_heads", "modeling.proposal_generator"):
        package = types.ModuleType(f"detectron2.{name}")
        package.__path__ = [str(path / "detectron2" / name.replace(".", "/"))]
        sys.modules[package.__name__] = package
    import detectron2.modeling.proposal_generator.build  # noqa: F401
    from detectron2.modeling import anchor_generator, box_regression, matcher, sampling
    from detectron2.modeling.proposal_generator import rpn
    from detectron2.modeling.roi_heads import fast_rcnn, roi_heads
    from detectron2.structures import Boxes, ImageList, Instances
    from detectron2.utils.events import EventStorage

    # fvcore's, where beta is 0.
    box_regression.smooth_l1_loss = lambda x, target, beta, reduction: (x - target).abs().sum()
    return types.SimpleNamespace(**{key: value for key, value in locals().items() if key not in ("path", "package", "name")})


class Draw:
    """Stands in for the randomness of their sampling.py: `rows` are the numbers of one image after the other."""

    def __init__(self, sampling, rows):
        self.rows, self.asked, self.find = iter(rows), [], sampling.nonzero_tuple
        self.sampling = sampling

    def __enter__(self):
        self.sampling.nonzero_tuple = self.nonzero_tuple
        self.sampling.torch = self
        return self

    def __exit__(self, *_):
        self.sampling.nonzero_tuple, self.sampling.torch = self.find, torch

    def nonzero_tuple(self, mask):
        found = self.find(mask)
        self.asked.append(found[0])
        if len(self.asked) == 2:
            self.row = torch.tensor(next(self.rows)[: len(mask)])
        return found

    def randperm(self, count, device=None):
        which = self.asked.pop(0)
        assert len(which) == count
        return self.row[which].argsort(stable=True)


def run(d2, index, case):
    height, width = case["canvas"]
    count = len(case["images"])
    network = tiny.Tiny(kinds=1, boxes=tiny.CLASSES, pool=tiny.roi_align)
    features, objectness, deltas = network.maps(tiny.image_of(index, (count, height, width)))
    truth = [
        d2.Instances(
            size,
            gt_boxes=d2.Boxes(torch.tensor([box for _, box in objects]).reshape(-1, 4).float()),
            gt_classes=torch.tensor([label for label, _ in objects], dtype=torch.int64),
        )
        for size, objects in case["images"]
    ]
    rpn = d2.rpn.RPN(
        in_features=["map"],
        head=Head(objectness, deltas),
        anchor_generator=d2.anchor_generator.DefaultAnchorGenerator(
            sizes=[tiny.SIZES], aspect_ratios=[tiny.RATIOS], strides=[tiny.STRIDE], offset=0.0
        ),
        anchor_matcher=d2.matcher.Matcher([0.3, 0.7], [0, -1, 1], True),
        box2box_transform=d2.box_regression.Box2BoxTransform((1.0, 1.0, 1.0, 1.0)),
        batch_size_per_image=256,
        positive_fraction=0.5,
        pre_nms_topk=(tiny.TOP, tiny.TOP),
        post_nms_topk=(tiny.KEEP, tiny.KEEP),
        nms_thresh=tiny.NMS,
    ).train()
    heads = d2.roi_heads.ROIHeads(
        num_classes=tiny.CLASSES,
        batch_size_per_image=512,
        positive_fraction=0.25,
        proposal_matcher=d2.matcher.Matcher([0.5], [0, 1], False),
    )
    kept = {}
    keep(rpn, "label_and_sample_anchors", kept)
    keep(heads, "_sample_proposals", kept)
    images = d2.ImageList(torch.zeros(count, 3, height, width), [size for size, _ in case["images"]])
    anchors = objectness[0].numel()
    most = max(1, *[len(objects) for _, objects in case["images"]])
    with d2.EventStorage():
        with Draw(d2.sampling, tiny.numbers_of(index, "proposal_losses.drawn", count, anchors)):
            proposals, of_rpn = rpn(images, {"map": features}, truth)
        # Objects follow the proposals, of which an image may have fewer than rows for them.
        numbers = tiny.numbers_of(index, "sampled.drawn", count, tiny.KEEP + most)
        rows = [
            [*row[: len(own)], *row[tiny.KEEP :]] for row, own in zip(numbers, proposals)
        ]
        found = [len(each) for each in proposals]
        with Draw(d2.sampling, rows):
            samples = heads.label_and_sample_proposals(proposals, truth)
        regions = torch.cat(
            [torch.cat([torch.full((len(s), 1), float(i)), s.proposal_boxes.tensor], 1) for i, s in enumerate(samples)]
        )
        layers = d2.fast_rcnn.FastRCNNOutputLayers(
            8,
            box2box_transform=d2.box_regression.Box2BoxTransform((10.0, 10.0, 5.0, 5.0)),
            num_classes=tiny.CLASSES,
            smooth_l1_beta=0.0,
        )
        of_heads = layers.losses(network.head(features, regions), samples)
    losses = {
        "proposal_losses.objectness": of_rpn["loss_rpn_cls"],
        "proposal_losses.boxes": of_rpn["loss_rpn_loc"],
        "region_losses.classes": of_heads["loss_cls"],
        "region_losses.boxes": of_heads["loss_box_reg"],
    }
    [(labels, boxes)] = kept["label_and_sample_anchors"]
    all_anchors = rpn.anchor_generator([features])[0].tensor
    return dict(
        canvas=[count, 3, height, width],
        sizes=[size for size, _ in case["images"]],
        scale=1,
        objects=[[dict(label=label, box=box) for label, box in objects] for _, objects in case["images"]],
        losses={name: float(value) for name, value in losses.items()},
        gradients=network.gradients(losses),
        anchors=[
            dict(
                positive=where(own == 1),
                negative=where(own == 0),
                targets=rpn.box2box_transform.get_deltas(all_anchors[own == 1], to[own == 1]).tolist(),
            )
            for own, to in zip(labels, boxes)
        ],
        regions=[
            of_regions(layers.box2box_transform, at, own, sample, count)
            for (at, own), sample, count in zip(kept["_sample_proposals"], samples, found)
        ],
    )


def of_regions(transform, at, labels, sample, proposals):
    """Where the regions are among the proposals and the objects behind them, as if there were all proposals; and their class."""
    order = at.argsort()
    at = torch.where(at < proposals, at, at - proposals + tiny.KEEP)[order].tolist()
    labels = labels[order]
    own = torch.where(labels < tiny.CLASSES)[0]
    boxes = sample.proposal_boxes.tensor[order][own]
    targets = transform.get_deltas(boxes, sample.gt_boxes.tensor[order][own]) if sample.has("gt_boxes") else boxes
    return dict(
        positive=[at[i] for i in own],
        negative=[each for i, each in enumerate(at) if labels[i] == tiny.CLASSES],
        classes=labels[own].tolist(),
        boxes=boxes.tolist(),
        targets=targets.tolist(),
    )


class Head(torch.nn.Module):
    def __init__(self, *maps):
        super().__init__()
        self.maps = [[each] for each in maps]

    def forward(self, _):
        return self.maps


def keep(owner, name, kept):
    """What a method gives, by its name."""
    method = getattr(owner, name)

    def kept_too(*given):
        made = method(*given)
        kept.setdefault(name, []).append(made)
        return made

    setattr(owner, name, kept_too)


def where(mask):
    return torch.where(mask)[0].tolist()


if __name__ == "__main__":
    d2 = load(pathlib.Path(sys.argv[1]).resolve())
    made = [run(d2, index, case) for index, case in enumerate(CASES)]
    for each in made:
        print(each["losses"])
        print([[len(own["positive"]), len(own["negative"])] for own in each["anchors"] + each["regions"]])
    FILE.write_text(json.dumps(tiny.rounded(made), separators=(",", ":")).replace(',"', ',\n"') + "\n")
