"""A few images of CIFAR's Python version in every form that Python writes, and the binary version of the same:
test/golden/data/cifar/.

    /usr/bin/python3 test/oracle/make_cifar_python.py

The images are computed. Python 2, which wrote the published files, is imitated by `python2`.
"""

import pathlib
import pickle
import struct

import numpy as np

OUT = pathlib.Path(__file__).parent.parent / "golden" / "data" / "cifar"
OUT.mkdir(parents=True, exist_ok=True)
random = np.random.RandomState(5)
IMAGES = 2


def python2(labels, data, key):
    """What cPickle of Python 2 writes: strings are STRING opcodes, and the array's data are one."""

    def text(value):
        return (b"U" + bytes([len(value)]) if len(value) < 256 else b"T" + struct.pack("<I", len(value))) + value

    numbers = b"".join(b"K" + bytes([label]) for label in labels)
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\nq\x02cnumpy\nndarray\nq\x03K\0\x85U\x01b\x87R(K\x01"
        + b"K" + bytes([IMAGES]) + b"M" + struct.pack("<H", 3072) + b"\x86"
        + b"cnumpy\ndtype\nq\x04U\x02u1K\0K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89"
        + text(data.tobytes()) + b"tb"
    )
    return b"\x80\x02}q\x01(" + text(b"data") + array + text(key) + b"](" + numbers + b"e" + b"u."


FORMS = {
    "python2": None,
    "protocol2": lambda labels, data, key: pickle.dumps({"data": data, key: labels}, 2),
    "protocol3": lambda labels, data, key: pickle.dumps({key.encode(): labels, b"data": data}, 3),
    "protocol4": lambda labels, data, key: pickle.dumps({b"data": data, key.encode(): np.array(labels)}, 4),
    "protocol5": lambda labels, data, key: pickle.dumps({"data": data.reshape(-1, 3, 32, 32), key: labels}, 5),
}

for kind, key, train, test in (
    ("10", "labels", [f"data_batch_{i}" for i in range(1, 6)], "test_batch"),
    ("100", "fine_labels", ["train"], "test"),
):
    binary = OUT / f"binary{kind}"
    binary.mkdir(exist_ok=True)
    pythons = []
    for name in (train if kind == "100" else train[:1]) + [test]:
        labels = [int(label) for label in random.randint(0, int(kind), IMAGES)]
        # Smooth, so that the repository stays small.
        data = ((np.arange(3072) // 37 * 5 + random.randint(0, 256, (IMAGES, 1))) % 256).astype("uint8")
        pythons.append((name, labels, data))
        rows = b"".join((b"\x07" if kind == "100" else b"") + bytes([l]) + d.tobytes() for l, d in zip(labels, data))
        (binary / f"{name}.bin").write_bytes(rows)
    for form, write in FORMS.items():
        folder = OUT / f"{form}_{kind}"
        folder.mkdir(exist_ok=True)
        for name, labels, data in pythons:
            (folder / name).write_bytes((write or (lambda l, d, k: python2(l, d, k.encode())))(labels, data, key))
    names = {"label_names" if kind == "10" else "fine_label_names": [f"class {i}" for i in range(int(kind))], "num_vis": 3072}
    (OUT / f"names{kind}").write_bytes(pickle.dumps(names, 2))

# The imitation is read by Python as the published files are.
for kind, key in (("10", "labels"), ("100", "fine_labels")):
    file = OUT / f"python2_{kind}" / ("test_batch" if kind == "10" else "test")
    read = pickle.loads(file.read_bytes(), encoding="latin1")
    assert read["data"].shape == (IMAGES, 3072) and read["data"].dtype == np.uint8 and len(read[key]) == IMAGES
