"""torchvision's fasterrcnn_resnet50_fpn on the processor, timed one run at a time as bench/detection.mjs asks for them.

    python3 fasterrcnn.py FOLDER HEIGHT WIDTH THREADS

Writes FOLDER/fasterrcnn.pth, a state_dict of the oracle's weights (test/oracle/fasterrcnn_golden.py), and
FOLDER/image.rgb, bytes [HEIGHT, WIDTH, 3], then the name of OpenBLAS's kernels as a line. For each line on standard
input a line is written:

- `contiguous` or `channels_last`: milliseconds that one run took in that memory layout, and that processors spent on it
- `stages LAYOUT`: milliseconds of each stage of one run, as JSON
- `found`: boxes, scores and labels, as JSON
"""
import ctypes
import json
import pathlib
import sys
import time

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "test" / "oracle"))
import fasterrcnn_golden
import oracle_weights


def blas():
    try:
        library = ctypes.CDLL("libopenblas.so.0")
    except OSError:
        return "none"
    library.openblas_get_corename.restype = ctypes.c_char_p
    return library.openblas_get_corename().decode()


def clocked(modules):
    """Milliseconds that each module takes, in a dictionary that every run fills anew."""
    times, begun = {}, {}

    def before(name):
        return lambda *_: begun.__setitem__(name, time.perf_counter())

    def after(name):
        return lambda *_: times.__setitem__(name, times.get(name, 0) + 1000 * (time.perf_counter() - begun[name]))

    handles = []
    for name, module in modules.items():
        handles += [module.register_forward_pre_hook(before(name)), module.register_forward_hook(after(name))]
    return times, handles


def stages(model, image):
    heads = model.roi_heads
    modules = dict(
        transform=model.transform, body=model.backbone.body, backbone=model.backbone, rpn_head=model.rpn.head,
        rpn=model.rpn, pool=heads.box_roi_pool, box_head=heads.box_head, predictor=heads.box_predictor, heads=heads,
    )
    times, handles = clocked(modules)
    begun = time.perf_counter()
    model([image])
    total = 1000 * (time.perf_counter() - begun)
    for handle in handles:
        handle.remove()
    head = times["box_head"] + times["predictor"]
    outside = total - times["transform"] - times["backbone"] - times["rpn"] - times["heads"]
    return dict(
        image=times["transform"],
        backbone=times["body"],
        pyramid=times["backbone"] - times["body"],
        RPN=times["rpn_head"],
        proposals=times["rpn"] - times["rpn_head"],
        RoI=times["pool"],
        head=head,
        post=times["heads"] - times["pool"] - head + outside,
    )


@torch.inference_mode()
def main():
    folder, (height, width, threads) = pathlib.Path(sys.argv[1]), map(int, sys.argv[2:5])
    torch.set_num_threads(threads)
    pixels = oracle_weights.pixels("bench", height, width)
    image = torch.from_numpy(pixels).float() / 255
    models = {}
    for layout in ("contiguous", "channels_last"):
        model, _ = fasterrcnn_golden.network(ranges=fasterrcnn_golden.FEW)
        form = getattr(torch, f"{layout}_format" if layout == "contiguous" else layout)
        models[layout] = model.to(memory_format=form)
    torch.save(models["contiguous"].state_dict(), folder / "fasterrcnn.pth")
    (folder / "image.rgb").write_bytes(pixels.transpose(1, 2, 0).tobytes())
    print(blas(), flush=True)
    for line in sys.stdin:
        command, layout = (line.split() + ["contiguous"])[:2]
        if command == "found":
            found = models[layout]([image])[0]
            print(json.dumps({key: value.tolist() for key, value in found.items()}), flush=True)
        elif command == "stages":
            print(json.dumps(stages(models[layout], image)), flush=True)
        else:
            before = time.perf_counter(), time.process_time()
            models[command]([image])
            passed, spent = time.perf_counter() - before[0], time.process_time() - before[1]
            print(1000 * passed, 1000 * spent, flush=True)


main()
