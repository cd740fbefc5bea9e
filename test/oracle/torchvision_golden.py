"""Makes test/golden/torchvision/*.json: tensor names and shapes of torchvision's networks, and their logits for the
weights of oracle_weights.py. Run by hand with torchvision 0.14:  python3 test/oracle/torchvision_golden.py [network ...]
"""

import base64
import functools
import json
import pathlib
import sys

import torch
import torchvision

import oracle_weights

OUT = pathlib.Path(__file__).resolve().parent.parent / "golden" / "torchvision"
NETWORKS = {
    "resnet18": "ResNet18",
    "resnet34": "ResNet34",
    "resnet50": "ResNet50V15",
    "resnet101": "ResNet101V15",
    "resnet152": "ResNet152V15",
    "vgg16": "VGG16",
    "vgg19": "VGG19",
    "resnext50_32x4d": "ResNeXt50_32x4d",
    "wide_resnet50_2": "WideResNet50_2",
    "mobilenet_v2": "MobileNetV2",
    "densenet121": "DenseNet121",
    "efficientnet_b0": "EfficientNetB0",
    "efficientnet_b1": "EfficientNetB1",
    "efficientnet_b3": "EfficientNetB3",
    "shufflenet_v2_x1_0": "ShuffleNetV2_x1_0",
    "convnext_tiny": "ConvNeXtTiny",
    "resnet50_gn": "ResNet50_GN",
}
# Of images that are smaller than 224. Names and shapes of tensors are left out: the test takes those that the name map gives.
SIDES = {"efficientnet_b1": 64, "efficientnet_b3": 64}
OPTIONS = {"resnet50_gn": {"norm_layer": functools.partial(torch.nn.GroupNorm, 32)}}
# Of the norms' weights, where with oracle_weights' an image would hardly change the logits.
GAINS = {
    "mobilenet_v2": (0.6, 1.2),
    "densenet121": (0.6, 1.2),
    "efficientnet_b0": (0.7, 1.3),
    "efficientnet_b1": (0.7, 1.3),
    "efficientnet_b3": (0.7, 1.3),
    "shufflenet_v2_x1_0": (0.6, 1.2),
}


def is_gain(name, value):
    return value.dim() == 1 and name.endswith("weight")


def main(names):
    OUT.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(2)
    for name in names or NETWORKS:
        module = getattr(torchvision.models, name.removesuffix("_gn"))(weights=None, **OPTIONS.get(name, {}))
        gain = GAINS.get(name)
        ranges = {key: gain for key, value in module.state_dict().items() if gain and is_gain(key, value)}
        module = oracle_weights.fill(module, ranges)
        side = SIDES.get(name, 224)
        with torch.no_grad():
            logits = module(torch.from_numpy(oracle_weights.image((1, 3, side, side))))[0]
            other = module(torch.from_numpy(oracle_weights.uniform("other", 3 * side * side, -2, 2).reshape(1, 3, side, side)))[0]
        top = logits.topk(5).indices.tolist()
        print(name, "std", float(logits.std()), "mean", float(logits.mean()), "top", top, logits[top].tolist())
        print("another image differs by", float((logits - other).abs().max() / logits.abs().max()))
        golden = {
            "network": NETWORKS[name],
            "parameters": sum(p.numel() for p in module.parameters()),
            **({"gain": gain} if gain else {}),
            "top5": top,
            "logits": base64.b64encode(logits.numpy().astype("<f4").tobytes()).decode(),
            **({"side": side} if name in SIDES else {"tensors": {key: list(value.shape) for key, value in module.state_dict().items()}}),
        }
        (OUT / f"{name}.json").write_text(json.dumps(golden, separators=(",", ":")).replace("],", "],\n") + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
