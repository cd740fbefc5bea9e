"""Makes test/golden/dense/*.json: tensor names and shapes of networks that give maps, and every eighth row and column of
those for the weights of oracle_weights.py, in float64. torchvision's FCN and DeepLabV3 with their auxiliary heads, and the
paper's U-Net (arXiv:1505.04597, figure 1), which torchvision has not. Run by hand with torchvision 0.14:
python3 test/oracle/dense_golden.py
"""

import base64
import json
import math
import pathlib

import torch
import torchvision
from torch import nn

import oracle_weights

OUT = pathlib.Path(__file__).resolve().parent.parent / "golden" / "dense"
STEP = 8


class DoubleConv(nn.Sequential):
    def __init__(self, given, width):
        super().__init__(nn.Conv2d(given, width, 3), nn.ReLU(), nn.Conv2d(width, width, 3), nn.ReLU())


class UNet(nn.Module):
    def __init__(self, classes=2, widths=(64, 128, 256, 512, 1024)):
        super().__init__()
        self.down = nn.ModuleList(DoubleConv(a, b) for a, b in zip((1, *widths), widths))
        pairs = list(zip(widths[1:], widths))[::-1]
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, stride=2) for a, b in pairs)
        self.join = nn.ModuleList(DoubleConv(a, b) for a, b in pairs)
        self.out = nn.Conv2d(widths[0], classes, 1)

    def forward(self, x):
        across = []
        for level, conv in enumerate(self.down):
            x = conv(x if level == 0 else nn.functional.max_pool2d(x, 2))
            across.append(x)
        for up, join, other in zip(self.up, self.join, across[-2::-1]):
            x = up(x)
            x = join(torch.cat([torchvision.transforms.functional.center_crop(other, x.shape[2:]), x], 1))
        return {"output": self.out(x)}


def our_unet_name(name):
    """`down.1.0.weight` is level.below.down.conv1.weight here: levels are inside one another, the deepest goes down alone."""
    part, *rest = name.split(".")
    if part == "out":
        return f"conv.{rest[0]}"
    level = int(rest[0]) if part == "down" else 3 - int(rest[0])
    at = "level" + ".below" * level
    if part == "up":
        return f"{at}.up.{rest[1]}"
    block = "down" if part == "down" and level < 4 else "double_conv"
    return f"{at}.{block}.conv{int(rest[1]) // 2 + 1}.{rest[2]}"


def fill_by_our_names(module):
    tensors = {name: torch.from_numpy(oracle_weights.tensor(our_unet_name(name), list(value.shape)))
               for name, value in module.state_dict().items()}
    module.load_state_dict(tensors)
    return module.eval()


def segmenter(name):
    return getattr(torchvision.models.segmentation, name)(weights=None, weights_backbone=None, aux_loss=True)


NETWORKS = {
    "fcn_resnet50": ("FCN_ResNet50(aux: true)", lambda: segmenter("fcn_resnet50"), (1, 3, 104, 136)),
    "deeplabv3_resnet50": ("DeepLabV3_ResNet50(aux: true)", lambda: segmenter("deeplabv3_resnet50"), (1, 3, 104, 136)),
    "unet": ("UNet", UNet, (1, 1, 204, 236)),
}
OURS = {"out": "logits", "aux": "aux_logits", "output": "output"}


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(2)
    for name, (network, make, shape) in NETWORKS.items():
        module = make()
        ours = our_unet_name if name == "unet" else lambda key: key
        tensors = {ours(key): list(value.shape) for key, value in module.state_dict().items()}
        module = (fill_by_our_names if name == "unet" else oracle_weights.fill)(module).double()
        images = [oracle_weights.uniform(each, math.prod(shape), -2.0, 2.0).reshape(shape) for each in ("input", "other")]
        with torch.no_grad():
            given, other = (module(torch.from_numpy(image).double()) for image in images)
        outputs = {}
        for key, value in given.items():
            differs = float((value - other[key]).abs().max() / value.abs().max())
            print(name, key, list(value.shape), "std", float(value.std()), "another image differs by", differs)
            kept = value[:, :, ::STEP, ::STEP]
            data = base64.b64encode(kept.numpy().astype("<f4").tobytes()).decode()
            outputs[OURS[key]] = {"shape": list(value.shape), "step": STEP, "values": data}
        parameters = sum(p.numel() for p in module.parameters())
        golden = {"network": network, "parameters": parameters, "input": shape, "outputs": outputs, "tensors": tensors}
        (OUT / f"{name}.json").write_text(json.dumps(golden, separators=(",", ":")).replace("],", "],\n") + "\n")


if __name__ == "__main__":
    main()
