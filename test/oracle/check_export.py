"""Whether torch takes what `resnetc export` wrote, and has the same tensors as the file that it came from. By hand:

    resnetc export ResNet18 --weights resnet18.pth --names torchvision_resnet -o out.pth
    python3 test/oracle/check_export.py resnet18 resnet18.pth out.pth [out.safetensors ...]
"""

import json
import struct
import sys

import numpy as np
import torch
import torchvision


def read(path):
    if path.endswith(".safetensors"):
        data = open(path, "rb").read()
        (length,) = struct.unpack("<Q", data[:8])
        assert length % 8 == 0
        header = json.loads(data[8:8 + length])
        types = {"F32": np.float32, "I64": np.int64}
        tensors = {}
        for name, entry in header.items():
            if name != "__metadata__":
                begin, end = entry["data_offsets"]
                array = np.frombuffer(data[8 + length + begin:8 + length + end], types[entry["dtype"]])
                tensors[name] = torch.from_numpy(array.reshape(entry["shape"]).copy())
        return tensors
    tensors = torch.load(path, weights_only=True)
    return tensors


def main(network, original, *written):
    expected = torch.load(original)
    for path in written:
        tensors = read(path)
        module = getattr(torchvision.models, network)(weights=None)
        module.load_state_dict(tensors, strict=True)
        assert set(tensors) == set(expected), set(tensors) ^ set(expected)
        for name, value in expected.items():
            assert tensors[name].dtype == value.dtype and torch.equal(tensors[name], value), name
        print(f"{path}: {len(tensors)} tensors, all equal")


if __name__ == "__main__":
    main(*sys.argv[1:])
