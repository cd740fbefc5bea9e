"""torchvision's ResNet-50 with random weights and random BN statistics: its .pth and its own ONNX export.

    /usr/bin/python3 bench/export_resnet50.py FOLDER
"""

import os
import sys

import torch
import torchvision

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
torch.manual_seed(0)
model = torchvision.models.resnet50(weights=None).eval()
for module in model.modules():
    if isinstance(module, torch.nn.BatchNorm2d):
        module.running_mean.normal_(0, 0.1)
        module.running_var.uniform_(0.5, 1.5)
        module.weight.data.uniform_(0.5, 1.0)
        module.bias.data.normal_(0, 0.1)
torch.save(model.state_dict(), os.path.join(folder, "resnet50.pth"))
torch.onnx.export(
    model,
    torch.zeros(1, 3, 224, 224),
    os.path.join(folder, "torchvision.onnx"),
    input_names=["image"],
    output_names=["logits"],
    dynamic_axes={"image": {0: "N"}, "logits": {0: "N"}},
    opset_version=15,
)
