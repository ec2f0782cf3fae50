"""The peer's half of the training benchmark: torch, torchvision and mosaicml-streaming do what main.go does."""
import contextlib
import json
import os
import sys
import time

import torch
import torchvision
from streaming import StreamingDataLoader, StreamingDataset
from torchvision import transforms


class Pictures(StreamingDataset):
    def __init__(self, case, data):
        super().__init__(local=data, shuffle=True, batch_size=case["batch_size"])
        self.transform = transforms.Compose([
            transforms.RandomResizedCrop(case["pixels"], scale=(0.6, 1.0)),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ])

    def __getitem__(self, i):
        sample = super().__getitem__(i)
        return self.transform(sample["image"].convert("RGB")), sample["label"]


def run(case, data, device, workers):
    gpu = device.type == "cuda"
    loader = StreamingDataLoader(Pictures(case, data), batch_size=case["batch_size"], drop_last=True, num_workers=workers,
                                 persistent_workers=True, pin_memory=gpu)
    torch.manual_seed(1)
    model = torchvision.models.mobilenet_v2(num_classes=5).to(device)
    opt = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

    def step(images, labels):
        with torch.autocast(device.type, torch.bfloat16) if case["bfloat16"] else contextlib.nullcontext():
            loss = torch.nn.functional.cross_entropy(model(images), labels)
        opt.zero_grad()
        loss.backward()
        opt.step()
        return loss

    synchronize = torch.cuda.synchronize if gpu else lambda: None
    out = {"name": case["name"], "epoch_seconds": [], "wait_seconds": []}
    for epoch in range(case["epochs"]):
        began = waiting = time.perf_counter()
        wait, samples = 0, 0
        for images, labels in loader:
            wait += time.perf_counter() - waiting
            loss = step(images.to(device, non_blocking=True), labels.to(device, non_blocking=True))
            out["loss"] = loss.item()
            samples += len(labels)
            waiting = time.perf_counter()
        wait += time.perf_counter() - waiting
        if epoch > 0:
            out["epoch_seconds"].append(time.perf_counter() - began)
            out["wait_seconds"].append(wait)
    out["samples"] = samples
    images = torch.randn(case["batch_size"], 3, case["pixels"], case["pixels"]).to(device)
    labels = torch.zeros(case["batch_size"], dtype=torch.int64).to(device)
    for n in (case["steps"] // 4 + 1, case["steps"]):
        synchronize()
        began = time.perf_counter()
        for _ in range(n):
            step(images, labels)
        synchronize()
        out["step_seconds"] = (time.perf_counter() - began) / n
    return out


if __name__ == "__main__":
    job = json.loads(sys.argv[1])
    for case in job["cases"]:
        print(json.dumps(run(case, job["data"], torch.device(job["device"]), os.cpu_count())), flush=True)
