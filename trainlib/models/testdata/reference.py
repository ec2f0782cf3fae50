"""Writes reference.json beside this file: what torchvision's models give, for models_test.go.

    python reference.py        (torch 2.15.0, torchvision 0.29.2, CPU)

Kernels differ in the last bits from one instruction set to another, so both sides are held to AVX2 by environment variables
that libtorch reads as it loads.
"""
import hashlib, json, os, pathlib

os.environ.update(ATEN_CPU_CAPABILITY="avx2", ONEDNN_MAX_CPU_ISA="AVX2", MKL_CBWR="AVX2")
import torch, torchvision

torch.set_num_threads(2)


def digest(sd):
    """SHA-256 over the names and raw elements of a state dict, in its order."""
    h = hashlib.sha256()
    for name, t in sd.items():
        h.update(name.encode() + b"\0" + t.detach().contiguous().numpy().tobytes())
    return h.hexdigest()


def sample(sd):
    """A few values of it, for machines that cannot give the same bits."""
    return {name: t.double().sum().item() for name, t in list(sd.items())[::40]}


def recipe(make, size, optimiser):
    torch.manual_seed(0)
    m = make()
    out = {"init": digest(m.state_dict()), "parameters": [n for n, _ in m.named_parameters()], "initSample": sample(m.state_dict())}
    torch.manual_seed(1)
    x, y = torch.randn(4, 3, size, size), torch.tensor([1, 2, 3, 4])
    m.eval()
    with torch.no_grad():
        logits = m(x)
    out["logits"] = hashlib.sha256(logits.numpy().tobytes()).hexdigest()
    out["logitsSample"] = logits[:, :4].double().flatten().tolist()
    m.train()
    torch.manual_seed(7)  # of dropout
    opt = optimiser(m.parameters())
    out["losses"] = []
    for _ in range(3):
        opt.zero_grad()
        loss = torch.nn.functional.cross_entropy(m(x), y)
        loss.backward()
        opt.step()
        out["losses"].append(loss.item())
    out["after"] = digest(m.state_dict())
    out["afterSample"] = sample(m.state_dict())
    return out


models = torchvision.models
sgd = lambda ps: torch.optim.SGD(ps, lr=0.05, momentum=0.9, weight_decay=1e-4, foreach=True)
adamw = lambda ps: torch.optim.AdamW(ps, lr=2e-3, weight_decay=0.02, foreach=True)
result = {
    "mobilenet_v2": recipe(models.mobilenet_v2, 96, sgd),
    "mobilenet_v2 narrow": recipe(lambda: models.mobilenet_v2(num_classes=5, width_mult=0.35, dropout=0.5), 64, adamw),
    "resnet18": recipe(lambda: models.resnet18(num_classes=10), 64, sgd),
}
names = result["mobilenet_v2"].pop("parameters")
for r in result.values():
    r.pop("parameters", None)
result["mobilenet_v2"]["parameters"] = names
path = pathlib.Path(__file__).with_name("reference.json")
path.write_text(json.dumps(result, indent=1) + "\n")
