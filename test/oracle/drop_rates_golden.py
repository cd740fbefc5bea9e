"""Makes test/golden/torchvision-drop-rates.json: the rates of stochastic depth in torchvision's networks, by the paths that
their blocks have here. Run by hand with torchvision 0.14:  python3 test/oracle/drop_rates_golden.py
"""

import json
import pathlib

import torchvision

OUT = pathlib.Path(__file__).resolve().parent.parent / "golden" / "torchvision-drop-rates.json"


def efficientnet(model):
    for s, stage in enumerate(list(model.features)[1:-1], 1):
        for b, block in enumerate(stage):
            # Elsewhere nothing is added, and the rate has no effect.
            if block.use_res_connect:
                yield f"mbconv{s}.{b}.drop_path", block.stochastic_depth.p


def convnext(model):
    for s, stage in enumerate(list(model.features)[1::2], 2):
        for b, block in enumerate(stage):
            yield f"res{s}.{b}.drop_path", block.stochastic_depth.p


rates = {
    "EfficientNetB0": dict(efficientnet(torchvision.models.efficientnet_b0())),
    "ConvNeXtTiny": dict(convnext(torchvision.models.convnext_tiny())),
    "ConvNeXtSmall": dict(convnext(torchvision.models.convnext_small())),
    "ConvNeXtBase": dict(convnext(torchvision.models.convnext_base())),
}
OUT.write_text(json.dumps(rates, indent=1) + "\n")
