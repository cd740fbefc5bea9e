"""Makes test/golden/segmentation/fcn_resnet50.json: tensor names and shapes of torchvision's FCN on a ResNet-50 (not
dilated), its auxiliary head included, and what both heads give for the weights of oracle_weights.py, in float64. Run by
hand with torchvision 0.14:  python3 test/oracle/segmentation_golden.py
"""

import base64
import json
import math
import pathlib

import torch
import torchvision
from torchvision.models._utils import IntermediateLayerGetter
from torchvision.models.segmentation.fcn import FCN, FCNHead

import oracle_weights

OUT = pathlib.Path(__file__).resolve().parent.parent / "golden" / "segmentation"
SHAPE = (1, 3, 40, 56)
CLASSES = 3


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    resnet = torchvision.models.resnet50(weights=None)
    backbone = IntermediateLayerGetter(resnet, {"layer4": "out", "layer3": "aux"})
    module = FCN(backbone, FCNHead(2048, CLASSES), FCNHead(1024, CLASSES))
    tensors = {name: list(value.shape) for name, value in module.state_dict().items()}
    module = oracle_weights.fill(module).double()
    image = torch.from_numpy(oracle_weights.uniform("input", math.prod(SHAPE), -2.0, 2.0).reshape(SHAPE)).double()
    with torch.no_grad():
        given = module(image)
    golden = {
        "tensors": tensors,
        "shape": SHAPE,
        **{
            name: base64.b64encode(value.numpy().astype("<f4").tobytes()).decode() for name, value in given.items()
        },
    }
    for name, value in given.items():
        print(name, list(value.shape), "std", float(value.std()))
    (OUT / "fcn_resnet50.json").write_text(json.dumps(golden, separators=(",", ":")).replace("],", "],\n") + "\n")


if __name__ == "__main__":
    main()
