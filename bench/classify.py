"""Classification of JPEG files as torchvision's reference does it, with a data loader, as bench/classify.mjs asks for it.

    python3 classify.py WEIGHTS BATCH THREADS FILE ...

For each line on standard input, the numbers of a first file and of the one behind the last, these files are classified, and
the milliseconds are written as a line: those that passed, and those that processors spent on it.
"""

import resource
import sys
import time

import torch
import torchvision
from PIL import Image
from torchvision import transforms

weights, batch, threads, files = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
torch.set_num_threads(threads)
prepare = transforms.Compose([
    transforms.Resize(256),
    transforms.CenterCrop(224),
    transforms.ToTensor(),
    transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
])


class Files(torch.utils.data.Dataset):
    def __init__(self, names):
        self.names = names

    def __len__(self):
        return len(self.names)

    def __getitem__(self, index):
        return prepare(Image.open(self.names[index]).convert("RGB"))


model = torchvision.models.resnet50(weights=None).eval().to(memory_format=torch.channels_last)
model.load_state_dict(torch.load(weights))
with torch.no_grad():
    example = torch.zeros(batch, 3, 224, 224).to(memory_format=torch.channels_last)
    model = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(model, example)))


def spent():
    return sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


print("ready", flush=True)
for line in sys.stdin:
    first, last = map(int, line.split())
    before, used = time.perf_counter(), spent()
    loader = torch.utils.data.DataLoader(Files(files[first:last]), batch_size=batch, num_workers=2)
    with torch.no_grad():
        for images in loader:
            model(images.contiguous(memory_format=torch.channels_last)).softmax(1).topk(5)
    del loader
    print((time.perf_counter() - before) * 1000, (spent() - used) * 1000, flush=True)
