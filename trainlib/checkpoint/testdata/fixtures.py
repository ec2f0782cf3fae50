"""Writes the .pt and .safetensors files beside this file, for checkpoint_test.go.

    python fixtures.py      (torch 2.15.0, safetensors 0.8.0)

The values are small integers, so that each test can name them.
"""
import collections, pathlib, safetensors.torch, torch

here = pathlib.Path(__file__).parent
dtypes = ["float32", "float64", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"]
sd = collections.OrderedDict((d, torch.tensor([[0, 1, 2], [3, 4, 5]]).to(getattr(torch, d))) for d in dtypes)
sd["scalar"] = torch.tensor(7)
sd["empty"] = torch.zeros(0, 3)
torch.save(sd, here / "state_dict.pt")
torch.save(sd, here / "legacy.pt", _use_new_zipfile_serialization=False)

base = torch.arange(12.0)
nested = {
    "model": collections.OrderedDict(w=base[2:8].reshape(2, 3), t=base.reshape(3, 4).t(), p=torch.nn.Parameter(torch.ones(2))),
    "epoch": 3, "big": 1 << 40, "negative": -5, "lr": 0.1, "name": "x", "ok": True, "none": None, "blob": b"\x00\xff",
    "list": [1, [2.5, "y"]], "tuple": (1, 2), "size": torch.Size([4, 5]), "dtype": torch.float16, "device": torch.device("cuda", 1),
    "optimizer": {"state": {0: {"momentum_buffer": torch.ones(3)}}, "param_groups": [{"lr": 0.1, "params": [0]}]},
}
for protocol in (2, 3, 4, 5):
    torch.save(nested, here / f"nested{protocol}.pt", pickle_protocol=protocol)


class Evil:
    def __reduce__(self):
        import os
        return os.system, ("echo pwned",)


torch.save({"x": Evil()}, here / "evil.pt")
safetensors.torch.save_file(dict(sd), here / "state_dict.safetensors", metadata={"format": "pt"})
