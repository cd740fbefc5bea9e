"""Writes real .pth files of torchvision's networks (random weights, random batch norm statistics), an input and the
logits, for test/oracle/torchvision-files.test.ts, which compares the command line's result with them. By hand:

    python3 test/oracle/torchvision_logits.py [folder, default .cache/oracle] [network ...]
"""

import json
import pathlib
import sys

import torch
import torchvision

from torchvision_golden import NETWORKS

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def randomise(module, seed):
    """torch's own random numbers, not those of oracle_weights.py: a check that does not share its generator."""
    generator = torch.Generator().manual_seed(seed)
    for layer in module.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.weight.data.uniform_(0.3, 0.9, generator=generator)
            layer.bias.data.normal_(0, 0.1, generator=generator)
            layer.running_mean.normal_(0, 0.2, generator=generator)
            layer.running_var.uniform_(0.5, 2.0, generator=generator)
    return module.eval()


def main(folder, names):
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(2)
    for seed, name in enumerate(names or NETWORKS):
        torch.manual_seed(seed)
        module = randomise(getattr(torchvision.models, name)(weights=None), seed)
        image = torch.randn(1, 3, 224, 224)
        with torch.no_grad():
            logits = module(image)[0]
        torch.save(module.state_dict(), folder / f"{name}.pth")
        (folder / f"{name}.input.f32").write_bytes(image.numpy().tobytes())
        (folder / f"{name}.json").write_text(json.dumps({"network": NETWORKS[name], "logits": logits.tolist()}))
        print(name, "logits std", float(logits.std()))


if __name__ == "__main__":
    args = sys.argv[1:]
    main(pathlib.Path(args[0]) if args else ROOT / ".cache" / "oracle", args[1:])
