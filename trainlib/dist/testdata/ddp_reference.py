"""Makes ddp_reference.json: two ranks of torch.nn.parallel.DistributedDataParallel train mobilenet_v2 for four steps, the
third of them under no_sync. Run it with the reference environment:

    .venv-reference/bin/python trainlib/dist/testdata/ddp_reference.py > trainlib/dist/testdata/ddp_reference.json

The test (ddp_test.go) does the same in Go. Both pin the instruction set and the threads, on which sums depend.
"""
import contextlib
import hashlib
import json
import os
import socket
import sys

PINNED = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_CBWR": "AVX2", "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
STEPS, NO_SYNC, CLASSES = 4, 2, 5


def digest(tensor):
    return hashlib.sha256(tensor.detach().contiguous().numpy().tobytes()).hexdigest()[:16]


def rank_main(rank, port, results):
    os.environ.update(RANK=str(rank), WORLD_SIZE="2", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    import torch
    import torchvision

    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo")
    torch.manual_seed(100 + rank)  # differing starts: DDP must send rank 0's
    model = torchvision.models.mobilenet_v2(num_classes=CLASSES)
    ddp = torch.nn.parallel.DistributedDataParallel(model)
    torch.manual_seed(1)
    images = torch.randn(4, 3, 64, 64)[rank * 2:rank * 2 + 2]
    labels = torch.tensor([0, 3, 1, 4])[rank * 2:rank * 2 + 2]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4, foreach=True)
    losses = []
    for step in range(STEPS):
        torch.manual_seed(7 + step)
        if step != NO_SYNC + 1:
            optimizer.zero_grad()
        with ddp.no_sync() if step == NO_SYNC else contextlib.nullcontext():
            loss = torch.nn.functional.cross_entropy(ddp(images), labels)
            loss.backward()
        if step != NO_SYNC:
            optimizer.step()
        losses.append(loss.item())
    results.put((rank, {
        "losses": losses,
        "grads": {n: digest(p.grad) for n, p in model.named_parameters()},
        "grad_sums": {n: p.grad.double().abs().sum().item() for n, p in model.named_parameters()},
        "state": {n: digest(t) for n, t in model.state_dict().items()},
    }))
    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


def main():
    os.environ.update(PINNED)
    import multiprocessing

    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    ranks = [context.Process(target=rank_main, args=(r, port, results)) for r in range(2)]
    for p in ranks:
        p.start()
    got = dict(results.get() for _ in ranks)
    for p in ranks:
        p.join()
    import torch

    json.dump({"torch": torch.__version__, "ranks": [got[0], got[1]]}, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
