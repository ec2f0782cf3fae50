"""trainlib against Python, live: the same seed gives the same weights, the same weights the same logits, the same steps the same
losses and parameters, to the bit, on the CPU and, where there is one, on a GPU; checkpoints of either language are gone on with
by the other."""
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import torch
import torchvision
from safetensors.torch import load_file, save_file

os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"  # both sides: cuBLAS is deterministic with it alone
DEVICES = ["", "cuda"] if torch.cuda.is_available() else [""]
ROOT = Path(__file__).resolve().parent.parent
MODELS = {"mobilenet_v2": torchvision.models.mobilenet_v2, "resnet18": torchvision.models.resnet18}
OPTIMIZERS = {
    "sgd": lambda ps: torch.optim.SGD(ps, lr=0.05, momentum=0.9, weight_decay=1e-4, nesterov=True, foreach=True),
    "adam": lambda ps: torch.optim.Adam(ps, lr=1e-3, weight_decay=1e-3, foreach=True),
    "adamw": lambda ps: torch.optim.AdamW(ps, lr=2e-3, weight_decay=0.02, foreach=True),
}


class TorchTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.set_num_threads(1)
        cls.dir = tempfile.TemporaryDirectory()
        cls.tmp = Path(cls.dir.name)
        cls.torchcat = cls.tmp / "torchcat"
        subprocess.run(["go", "build", "-o", cls.torchcat, "./interop/torchcat"], cwd=ROOT, check=True)
        torch.manual_seed(3)
        cls.x, cls.y = torch.randn(4, 3, 64, 64), torch.tensor([0, 3, 1, 4])
        torch.save({"x": cls.x, "y": cls.y}, cls.tmp / "input.pt")

    @classmethod
    def tearDownClass(cls):
        cls.dir.cleanup()

    def go(self, **job):
        """Runs a job in Go and returns what it left, read as a stranger's file."""
        job = {"Classes": 5, "Seed": 0, "Input": str(self.tmp / "input.pt"), "Optimizer": "sgd", "Steps": 0, "Out": str(self.tmp / "out.pt"), **job}
        path = self.tmp / "job.json"
        path.write_text(json.dumps(job))
        done = subprocess.run([self.torchcat, path], cwd=ROOT, capture_output=True, text=True, env={**os.environ, "GOMOSAIC_TORCH_DIR": self.torch_dir()})
        self.assertEqual(done.returncode, 0, done.stderr)
        if job["Out"].endswith(".pt"):
            return torch.load(job["Out"], weights_only=True, mmap=True, map_location=job.get("Device") or "cpu")
        return load_file(job["Out"])

    def torch_dir(self):
        """Both sides run on this environment's libtorch: another version's kernels need not give the same bits."""
        return str(Path(torch.__file__).parent)

    def python(self, model, optimizer, steps, drop_seed=0, cycle=0, start=None, device=""):
        """The same job here."""
        torch.use_deterministic_algorithms(device != "")
        torch.manual_seed(0)
        x, y = self.x.to(device or "cpu"), self.y.to(device or "cpu")
        m = MODELS[model](num_classes=5).to(device or "cpu")
        opt = OPTIMIZERS[optimizer](m.parameters())
        sch = torch.optim.lr_scheduler.OneCycleLR(opt, 0.01, total_steps=cycle) if cycle else None
        if start:
            m.load_state_dict(start["model"])
            opt.load_state_dict(start["optimizer"])
            if sch:
                sch.load_state_dict(start["schedule"])
        m.eval()
        with torch.no_grad():
            logits = m(x)
        m.train()
        torch.manual_seed(drop_seed)
        losses = []
        for _ in range(steps):
            opt.zero_grad()
            loss = torch.nn.functional.cross_entropy(m(x), y)
            loss.backward()
            opt.step()
            if sch:
                sch.step()
            losses.append(loss.item())
        return {"logits": logits, "losses": losses, "model": m.state_dict(), "optimizer": opt.state_dict(), "schedule": sch.state_dict() if sch else None}

    def same(self, a, b, what):
        self.assertEqual(list(a), list(b), f"{what}: names or their order")
        for name in a:
            self.assertTrue(torch.equal(a[name], b[name]), f"{what}: {name} differs by up to {(a[name] - b[name]).abs().max()}")

    def test_training_is_equal_to_the_bit(self):
        for device in DEVICES:
            for model, optimizer, cycle in [("mobilenet_v2", "sgd", 0), ("mobilenet_v2", "adamw", 6), ("resnet18", "adam", 0)]:
                with self.subTest(model=model, optimizer=optimizer, device=device):
                    go = self.go(Model=model, Optimizer=optimizer, Steps=4, DropSeed=7, Cycle=cycle, Device=device)
                    here = self.python(model, optimizer, 4, 7, cycle, device=device)
                    self.assertTrue(torch.equal(go["logits"], here["logits"]), "logits of the same seed")
                    self.assertEqual(go["losses"], here["losses"])
                    self.same(go["model"], here["model"], "after the steps")

    def test_each_goes_on_with_the_others_checkpoint(self):
        for device in DEVICES:
            for optimizer in ("sgd", "adamw"):
                with self.subTest(optimizer=optimizer, device=device):
                    whole = self.python("mobilenet_v2", optimizer, 2, 7, 8, device=device)
                    whole["schedule"] = {k: v for k, v in whole["schedule"].items() if not callable(v)}
                    torch.save(whole, self.tmp / "python.pt")  # before the state goes on: loading it copies no tensor
                    rest = self.python("mobilenet_v2", optimizer, 3, 8, 8, start=whole, device=device)
                    job = {"Model": "mobilenet_v2", "Optimizer": optimizer, "Cycle": 8, "Device": device}
                    go = self.go(**job, Weights=str(self.tmp / "python.pt"), Steps=3, DropSeed=8)
                    self.assertEqual(go["losses"], rest["losses"], "Go after Python")
                    self.same(go["model"], rest["model"], "Go after Python")

                    first = self.go(**job, Steps=2, DropSeed=7, Out=str(self.tmp / "go.pt"))
                    after = self.python("mobilenet_v2", optimizer, 3, 8, 8, start=first, device=device)
                    self.assertEqual(after["losses"], rest["losses"], "Python after Go")
                    self.same(after["model"], rest["model"], "Python after Go")

    def test_weights_travel(self):
        torch.manual_seed(5)
        m = torchvision.models.mobilenet_v2(num_classes=5).eval()
        with torch.no_grad():
            logits = m(self.x)
        sd = m.state_dict()
        torch.save(sd, self.tmp / "w.pt")
        torch.save(sd, self.tmp / "legacy.pth", _use_new_zipfile_serialization=False)
        save_file(sd, self.tmp / "w.safetensors")
        for name in ("w.pt", "legacy.pth", "w.safetensors"):
            go = self.go(Model="mobilenet_v2", Weights=str(self.tmp / name))
            self.assertTrue(torch.equal(go["logits"], logits), name)
            self.same(go["model"], sd, name)
        back = self.go(Model="mobilenet_v2", Weights=str(self.tmp / "w.pt"), Out=str(self.tmp / "back.safetensors"))
        for name in sd:
            self.assertTrue(torch.equal(back[name], sd[name]), name)


if __name__ == "__main__":
    unittest.main()
