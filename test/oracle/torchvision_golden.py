"""Makes test/golden/torchvision/*.json: tensor names and shapes of torchvision's networks, and their logits for the
weights of oracle_weights.py. Run by hand with torchvision 0.14:  python3 test/oracle/torchvision_golden.py [network ...]
"""

import base64
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
}


def main(names):
    OUT.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(2)
    for name in names or NETWORKS:
        module = oracle_weights.fill(getattr(torchvision.models, name)(weights=None))
        with torch.no_grad():
            logits = module(torch.from_numpy(oracle_weights.image()))[0]
        top = logits.topk(5).indices.tolist()
        print(name, "std", float(logits.std()), "mean", float(logits.mean()), "top", top, logits[top].tolist())
        golden = {
            "network": NETWORKS[name],
            "parameters": sum(p.numel() for p in module.parameters()),
            "top5": top,
            "logits": base64.b64encode(logits.numpy().astype("<f4").tobytes()).decode(),
            "tensors": {key: list(value.shape) for key, value in module.state_dict().items()},
        }
        (OUT / f"{name}.json").write_text(json.dumps(golden, separators=(",", ":")).replace("],", "],\n") + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
