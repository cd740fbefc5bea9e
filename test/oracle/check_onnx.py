#!/usr/bin/python3
"""ONNX's own checker with full shape inference over files; one line each, exit status 1 if any fails.

    /usr/bin/python3 test/oracle/check_onnx.py model.onnx ...
"""
import sys

import onnx


def problem(path):
    """What the checker says is wrong with the model, or None. Weights in files of their own are found beside it."""
    try:
        onnx.checker.check_model(path, full_check=True)
    except Exception as error:  # the checker raises several kinds
        return " ".join(str(error).split())
    return None


failed = False
for path in sys.argv[1:]:
    found = problem(path)
    failed = failed or found is not None
    print(f"{path}: {'ok' if found is None else found}")
sys.exit(1 if failed else 0)
