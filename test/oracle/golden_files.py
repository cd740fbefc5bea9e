"""Golden files of several cases, a line for each of their lists and objects, so that a change of one is seen."""

import json

import torch


def write_cases(folder, cases, compute, names):
    """Those of these names, or all: `compute` makes what is written of a case."""
    torch.set_num_threads(2)
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or cases:
        text = json.dumps(compute(cases[name]), separators=(",", ":"))
        (folder / f"{name}.json").write_text(text.replace('],"', '],\n"').replace('},"', '},\n"') + "\n")
