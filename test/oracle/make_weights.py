"""Makes the small weight files of test/golden/weights/ and expected.json, which says what they hold.

Run by hand with Python 3, torch 1.13 and numpy:  python3 test/oracle/make_weights.py
Values are expected as fp32, whatever type they are stored with.
"""

import argparse
import collections
import json
import pathlib
import pickle
import struct
import zlib

import numpy as np
import torch

OUT = pathlib.Path(__file__).resolve().parent.parent / "golden" / "weights"
EXPECTED = {}


def record(file, tensors, **more):
    EXPECTED[file] = {
        "tensors": {
            name: {
                "dtype": str(t.dtype).replace("torch.", ""),
                "shape": list(t.shape),
                "values": [float(v) for v in torch.as_tensor(np.asarray(t) if isinstance(t, np.ndarray) else t)
                           .to(torch.float32).contiguous().flatten()],
            }
            for name, t in tensors.items()
        },
        **more,
    }


def tensors_of_every_kind():
    torch.manual_seed(0)
    base = torch.randn(4, 6)
    every = collections.OrderedDict()
    every["plain"] = torch.randn(2, 3, 3, 3)
    every["transposed"] = base.t()
    every["window"] = base[1:3, 2:5]
    every["column"] = base[:, 1]
    every["whole_of_shared"] = base
    every["expanded"] = torch.tensor([1.5, -2.0]).reshape(2, 1).expand(2, 4)
    every["channels_last"] = torch.randn(1, 3, 2, 2).to(memory_format=torch.channels_last)
    every["scalar"] = torch.tensor(3.25)
    every["empty"] = torch.zeros(0, 3)
    every["half"] = torch.tensor([0.1, -65504.0, 6e-8, 0.0])
    every["half"] = every["half"].half()
    every["bfloat"] = torch.tensor([0.1, 3e38, -1e-30]).bfloat16()
    every["double"] = torch.tensor([0.1, 1e-40, -123456.789], dtype=torch.float64)
    every["long"] = torch.tensor([1, -(2**40), 2**53], dtype=torch.int64)
    every["int"] = torch.tensor([1, -2], dtype=torch.int32)
    every["short"] = torch.tensor([-300, 300], dtype=torch.int16)
    every["char"] = torch.tensor([-128, 127], dtype=torch.int8)
    every["byte"] = torch.tensor([0, 255], dtype=torch.uint8)
    every["bool"] = torch.tensor([True, False])
    return every


def pytorch_files():
    every = tensors_of_every_kind()
    torch.save(every, OUT / "every_kind.pth")
    record("every_kind.pth", every, format="pytorch")
    torch.save(every, OUT / "every_kind_legacy.pth", _use_new_zipfile_serialization=False)
    record("every_kind_legacy.pth", every, format="pytorch")
    for protocol in (3, 4, 5):
        few = {k: every[k] for k in ("transposed", "half")}
        torch.save(few, OUT / f"protocol{protocol}.pth", pickle_protocol=protocol)
        record(f"protocol{protocol}.pth", few, format="pytorch")

    torch.manual_seed(1)
    net = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 1, bias=False), torch.nn.BatchNorm2d(3))
    torch.save(net.state_dict(), OUT / "state_dict.pt")
    record("state_dict.pt", net.state_dict(), format="pytorch")

    # A training script's checkpoint: DataParallel's names, an optimizer, arguments, and parameters instead of tensors.
    parallel = collections.OrderedDict(("module." + k, v) for k, v in net.state_dict().items())
    parallel["module.0.weight"] = torch.nn.Parameter(parallel["module.0.weight"])
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    net(torch.randn(4, 2, 3, 3)).sum().backward()
    optimizer.step()
    checkpoint = {
        "epoch": 3,
        "best": np.float64(76.1),
        "arch": "resnet50",
        "args": argparse.Namespace(lr=0.1, names=["a", "b"]),
        "state_dict": parallel,
        "optimizer": optimizer.state_dict(),
    }
    torch.save(checkpoint, OUT / "checkpoint.pth")
    record("checkpoint.pth", {k[len("module."):]: v for k, v in parallel.items()}, format="pytorch")
    torch.save({"model": {"state_dict": parallel}}, OUT / "checkpoint_legacy.pth",
               _use_new_zipfile_serialization=False)
    record("checkpoint_legacy.pth", {k[len("module."):]: v for k, v in parallel.items()}, format="pytorch")
    torch.save(net, OUT / "refused_module.pth")

    # Before torch 0.4 a parameter was pickled as a call of its class; torchvision's oldest files are so.
    class OldParameter:
        def __init__(self, data):
            self.data = data

        def __reduce_ex__(self, protocol):
            return torch.nn.Parameter, (self.data,), (True, False, collections.OrderedDict())

    old = collections.OrderedDict((k, v) for k, v in net.state_dict().items() if k != "1.num_batches_tracked")
    torch.save(collections.OrderedDict((k, OldParameter(v)) for k, v in old.items()), OUT / "old_parameters.pth",
               _use_new_zipfile_serialization=False)
    record("old_parameters.pth", old, format="pytorch")


def numpy_files():
    rng = np.random.RandomState(2)
    every = collections.OrderedDict()
    every["conv1_w"] = rng.randn(3, 2, 3, 3).astype(np.float32)
    every["res_conv1_bn_gamma"] = rng.rand(3).astype(np.float32)
    every["large"] = rng.randn(20, 14).astype(np.float32)
    every["fortran"] = np.asfortranarray(rng.randn(3, 5).astype(np.float32))
    every["double"] = rng.randn(4)
    every["half"] = rng.randn(4).astype(np.float16)
    every["long"] = np.array([1, -(2**40)])
    every["bool"] = np.array([True, False])
    every["scalar"] = np.array(2.5, dtype=np.float32)
    for protocol in (2, 3, 4, 5):
        name = f"numpy_protocol{protocol}.pkl"
        with open(OUT / name, "wb") as f:
            pickle.dump(every, f, protocol=protocol)
        record(name, every, format="detectron2")
    with open(OUT / "zoo.pkl", "wb") as f:
        pickle.dump({"model": dict(every), "__author__": "Detectron2 Model Zoo"}, f)
    record("zoo.pkl", every, format="detectron2", metadata={"author": "Detectron2 Model Zoo"})

    # As Python 2 wrote it: byte strings (opcodes U and T) for names and data. Written by hand, there is no Python 2 here.
    few = {"conv1_w": every["conv1_w"], "conv1_w_momentum": every["conv1_w"], "large": every["large"]}

    def string(data):
        return b"U" + bytes([len(data)]) + data if len(data) < 256 else b"T" + struct.pack("<I", len(data)) + data

    out = b"\x80\x02}(" + string(b"blobs") + b"}("
    for key, value in few.items():
        shape = b"(" + b"".join(b"K" + bytes([n]) for n in value.shape) + b"t"
        out += string(key.encode()) + b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85" + string(b"b") + b"\x87R"
        out += b"(K\x01" + shape + b"cnumpy\ndtype\n" + string(b"f4") + b"K\x00K\x01\x87R"
        out += b"(K\x03" + string(b"<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        out += b"\x89" + string(value.tobytes()) + b"tb"
    out += b"uu."
    assert set(pickle.loads(out, encoding="latin1")["blobs"]) == set(few)
    (OUT / "python2.pkl").write_bytes(out)
    record("python2.pkl", {"conv1_w": few["conv1_w"], "large": few["large"]}, format="detectron2")


def safetensors(tensors, metadata=None, compact=False):
    """The format by its description: https://github.com/huggingface/safetensors#format"""
    types = {"float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64", "int32": "I32",
             "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL"}
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, t in tensors.items():
        t = t.contiguous()
        raw = bytes((t.view(torch.int16) if t.dtype == torch.bfloat16 else t).numpy().tobytes())
        header[name] = {"dtype": types[str(t.dtype)[6:]], "shape": list(t.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = (json.dumps(header, separators=(",", ":"), ensure_ascii=False) if compact else json.dumps(header)).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


def safetensors_files():
    every = tensors_of_every_kind()
    (OUT / "every_kind.safetensors").write_bytes(safetensors(every, {"format": "pt"}))
    record("every_kind.safetensors", every, format="safetensors", metadata={"format": "pt"})


def written_files():
    """What our own writers have to give, to the byte (safetensors), or did give (written.pth): the tensors of
    test/runtime/weights/write.test.ts."""
    tensors = {
        "conv.weight": torch.arange(6, dtype=torch.float32).reshape(2, 3, 1, 1) - 2.5,
        "odd": torch.tensor([0.5], dtype=torch.float32),
        "counter": torch.tensor(7, dtype=torch.int64),
        "empty": torch.zeros(0, 3),
    }
    data = b"".join(t.numpy().tobytes() for t in tensors.values())
    metadata = {"note": "caf\u00e9", "resnetc.crc32": f"{zlib.crc32(data):08x}"}
    (OUT / "written.safetensors").write_bytes(safetensors(tensors, metadata, compact=True))
    record("written.safetensors", tensors, format="safetensors", metadata=metadata)
    if (OUT / "written.pth").exists():
        loaded = torch.load(OUT / "written.pth", weights_only=True)
        assert type(loaded) is collections.OrderedDict and list(loaded) == list(tensors)
        for name, t in tensors.items():
            assert loaded[name].dtype == t.dtype and torch.equal(loaded[name], t), name
        record("written.pth", tensors, format="pytorch")


# Caffe's protocol buffers, written by hand from src/caffe/proto/caffe.proto.
def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def blob(values, legacy=False, double=False):
    shape = list(values.shape)
    if legacy:
        dims = [1] * (4 - len(shape)) + shape
        out = b"".join(field(i + 1, n) for i, n in enumerate(dims))
    else:
        out = field(7, field(1, b"".join(varint(n) for n in shape)))
    return out + (field(8, values.astype("<f8").tobytes()) if double else field(5, values.astype("<f4").tobytes()))


def caffe_files():
    rng = np.random.RandomState(3)
    f = lambda *shape: rng.rand(*shape).astype(np.float32)
    layers = [
        ("data", "Input", []),
        ("conv1", "Convolution", [f(3, 2, 3, 3)]),
        ("bn_conv1", "BatchNorm", [f(3), f(3), np.array([2.0], np.float32)]),
        ("scale_conv1", "Scale", [f(3), f(3)]),
        ("conv1_relu", "ReLU", []),
        ("zero", "BatchNorm", [np.zeros(3, np.float32), np.zeros(3, np.float32), np.zeros(1, np.float32)]),
        ("fc1000", "InnerProduct", [f(4, 3), f(4)]),
    ]
    expected = {f"{name}/{i}": b for name, _, blobs in layers for i, b in enumerate(blobs)}

    out = field(1, "golden")
    for name, kind, blobs in layers:
        out += field(100, field(1, name) + field(2, kind) + field(3, "bottom") + field(10, 1) +
                     b"".join(field(7, blob(b)) for b in blobs))
    (OUT / "layers.caffemodel").write_bytes(out)
    record("layers.caffemodel", expected, format="caffe", metadata={"name": "golden"})

    # The older message: `layers`, an enum as type, shapes of four numbers; here with doubles in one blob.
    old = [("conv1_1", 4, [f(2, 1, 3, 3), f(2)]), ("fc6", 14, [f(3, 8), f(3)])]
    out = field(1, "old")
    expected = {}
    for name, kind, blobs in old:
        out += field(2, field(4, name) + field(5, kind) +
                     b"".join(field(6, blob(b, legacy=True, double=name == "fc6")) for b in blobs))
        for i, b in enumerate(blobs):
            dims = [1] * (4 - b.ndim) + list(b.shape)
            expected[f"{name}/{i}"] = b.reshape(dims).astype(np.float64 if name == "fc6" else np.float32)
    (OUT / "layers_v1.caffemodel").write_bytes(out)
    record("layers_v1.caffemodel", expected, format="caffe", metadata={"name": "old"})


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    pytorch_files()
    numpy_files()
    safetensors_files()
    written_files()
    caffe_files()
    (OUT / "expected.json").write_text(json.dumps(EXPECTED, separators=(",", ":")) + "\n")
