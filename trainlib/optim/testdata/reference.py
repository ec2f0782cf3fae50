"""Writes reference.json beside this file: parameters after steps of torch.optim, and learning rates of its schedules, for
optim_test.go. python reference.py (torch 2.15.0, CPU)"""
import json, pathlib, torch
from torch.optim import lr_scheduler as ls

torch.set_num_threads(1)


def params():
    """Two parameters of fixed values; the gradients below are fixed, too, so that only the optimiser's arithmetic counts."""
    return [torch.tensor([(i % 13 - 6) / 8 + i / 1000 for i in range(n)]).requires_grad_() for n in (37, 5)]


def grads(ps, step):
    for k, p in enumerate(ps):
        p.grad = torch.tensor([((i * 7 + step * 3 + k) % 11 - 5) / 7 for i in range(p.numel())])


optimisers = {
    "sgd": lambda ps: torch.optim.SGD(ps, lr=0.1, foreach=True),
    "sgd momentum": lambda ps: torch.optim.SGD(ps, lr=0.1, momentum=0.9, weight_decay=0.01, foreach=True),
    "sgd dampening": lambda ps: torch.optim.SGD(ps, lr=0.1, momentum=0.9, dampening=0.3, maximize=True, foreach=True),
    "sgd nesterov": lambda ps: torch.optim.SGD(ps, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01, foreach=True),
    "sgd nesterov bare": lambda ps: torch.optim.SGD(ps, lr=0.1, momentum=0.9, nesterov=True, foreach=True),
    "adam": lambda ps: torch.optim.Adam(ps, lr=0.01, foreach=True),
    "adam decay": lambda ps: torch.optim.Adam(ps, lr=0.01, betas=(0.8, 0.99), eps=1e-6, weight_decay=0.1, foreach=True),
    "adam amsgrad": lambda ps: torch.optim.Adam(ps, lr=0.01, amsgrad=True, maximize=True, foreach=True),
    "adamw": lambda ps: torch.optim.AdamW(ps, lr=0.01, weight_decay=0.05, foreach=True),
}
steps = {}
for name, make in optimisers.items():
    ps = params()
    opt = make(ps)
    for s in range(6):
        grads(ps, s)
        opt.step()
    steps[name] = [p.double().tolist() for p in ps]

# groups: the second parameter has its own rate and no decay
ps = params()
opt = torch.optim.SGD([{"params": ps[:1]}, {"params": ps[1:], "lr": 0.5, "weight_decay": 0}], lr=0.1, weight_decay=0.1, foreach=True)
for s in range(3):
    grads(ps, s)
    opt.step()
steps["groups"] = [p.double().tolist() for p in ps]

schedules = {
    "step": (lambda o: ls.StepLR(o, 3, 0.3), 10),
    "cosine": (lambda o: ls.CosineAnnealingLR(o, 7, 0.001), 20),
    "warmup": (lambda o: ls.LinearLR(o, 0.1, total_iters=5), 9),
    "one cycle": (lambda o: ls.OneCycleLR(o, 0.4, total_steps=25), 25),
    "one cycle three": (lambda o: ls.OneCycleLR(o, 0.4, total_steps=25, three_phase=True, anneal_strategy="linear", pct_start=0.4), 25),
}
rates = {}
for name, (make, n) in schedules.items():
    ps = params()
    opt = torch.optim.SGD(ps, lr=0.1, momentum=0.9)
    sch = make(opt)
    seq = []
    for s in range(n):
        seq.append([opt.param_groups[0]["lr"], opt.param_groups[0]["momentum"]])
        opt.step()
        if s < n - 1:
            sch.step()
    rates[name] = seq
# Adam's first beta takes the momentum's part; here the steps count, too
ps = params()
opt = torch.optim.AdamW(ps, lr=2e-3, weight_decay=0.02, foreach=True)
sch = ls.OneCycleLR(opt, 4e-3, total_steps=8)
for s in range(7):
    grads(ps, s)
    opt.step()
    sch.step()
steps["adamw one cycle"] = [p.double().tolist() for p in ps]
path = pathlib.Path(__file__).with_name("reference.json")
path.write_text(json.dumps({"steps": steps, "rates": rates}) + "\n")

# a checkpoint of an optimiser, for reading
ps = params()
opt = torch.optim.AdamW(ps, lr=0.01, weight_decay=0.05, foreach=True)
for s in range(3):
    grads(ps, s)
    opt.step()
torch.save({"optimizer": opt.state_dict(), "params": [p.detach() for p in ps]}, pathlib.Path(__file__).with_name("adamw.pt"))
