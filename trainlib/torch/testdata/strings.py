"""Writes strings.json beside this file: how Python renders tensors, for string_test.go. python strings.py (torch 2.15.0)"""
import json, pathlib, torch

cases = {
    "float": "torch.tensor([[1., 2.5], [-3., 4.]])",
    "whole": "torch.tensor([1., 2., 300.])",
    "whole with nan": "torch.tensor([1., float('nan'), float('inf'), -float('inf')])",
    "zeros": "torch.zeros(2, 3)",
    "science": "torch.tensor([1e-5, 1., 1000.])",
    "whole science": "torch.tensor([1., 1e9])",
    "int": "torch.tensor([[1, -20], [300, 4]])",
    "uint8": "torch.tensor([1, 2], dtype=torch.uint8)",
    "bool": "torch.tensor([True, False])",
    "double": "torch.tensor([0.1, 0.25], dtype=torch.float64)",
    "scalar": "torch.tensor(0.5)",
    "int scalar": "torch.tensor(7)",
    "empty": "torch.zeros(0)",
    "empty two": "torch.zeros(2, 0, dtype=torch.int64)",
    "leaf": "torch.tensor([1., 2.], requires_grad=True)",
    "sum": "torch.tensor([1., 2.], requires_grad=True).mul(2).sum()",
    "long": "torch.arange(100)",
    "summary": "torch.arange(2000)",
    "summary two": "torch.arange(10000.).reshape(100, 100)",
    "summary three": "torch.arange(2400.).reshape(2, 30, 40) / 7",
    "wide": "torch.arange(60.).reshape(2, 30) / 7",
    "four": "torch.arange(16).reshape(2, 2, 2, 2)",
    "half": "torch.tensor([0.1], dtype=torch.float16)",
    "negative": "torch.tensor([-0.5, 100.25])",
}
path = pathlib.Path(__file__).with_name("strings.json")
path.write_text(json.dumps({k: str(eval(v)) for k, v in cases.items()}, indent=1) + "\n")
