"""What the tutorial left in notebooks/out, read by the Python packages: torchvision loads mobilenet_v2.pt, mosaicml-streaming
reads data/val, and the number of right answers must be the one that the notebook printed."""
import json
import os
import re
import tempfile
import unittest
from pathlib import Path

import torch
import torchvision
from streaming import StreamingDataset
from torchvision import transforms

OUT = Path(os.environ.get("TUTORIAL_OUT", Path(__file__).resolve().parent.parent / "notebooks" / "out"))
RIGHT = re.compile(r"^(\d+) of (\d+) validation images right$", re.MULTILINE)
INPUTS = re.compile(r"\b(IMAGE_SIZE|BATCH_SIZE|NUM_EPOCHS|MAX_TRAIN|MAX_VAL)\s+(\d+)")
DEFAULT = {"IMAGE_SIZE": 96, "BATCH_SIZE": 32, "NUM_EPOCHS": 10, "MAX_TRAIN": 1500, "MAX_VAL": 150}


def printed_text():
    """All text that the executed notebook shows."""
    notebook = json.loads((OUT / "01_simplify_data_loading.ipynb").read_text())
    parts = []
    for cell in notebook["cells"]:
        for output in cell.get("outputs", []):
            parts += output.get("text", []) + output.get("data", {}).get("text/plain", []) + ["\n"]
    return "".join(parts)


class TutorialTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.text = printed_text()
        cls.inputs = {name: int(value) for name, value in INPUTS.findall(cls.text)}
        cls.labels = json.loads((OUT / "data" / "labels.json").read_text())["labels"]

    def test_same_number_of_right_answers(self):
        right_in_go, total = map(int, RIGHT.findall(self.text)[-1])
        size, batch_size = self.inputs["IMAGE_SIZE"], self.inputs["BATCH_SIZE"]

        model = torchvision.models.mobilenet_v2(num_classes=len(self.labels))
        model.load_state_dict(torch.load(OUT / "mobilenet_v2.pt", weights_only=True))
        model.eval()
        preprocess = transforms.Compose([
            transforms.Resize(size),
            transforms.CenterCrop(size),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ])
        with tempfile.TemporaryDirectory() as cache:
            val = StreamingDataset(remote=str(OUT / "data" / "val"), local=cache, batch_size=batch_size, shuffle=False)
            samples = list(val)
        self.assertEqual(len(samples), total)
        right = 0
        with torch.no_grad():
            for start in range(0, total, batch_size):
                batch = samples[start:start + batch_size]
                images = torch.stack([preprocess(s["image"].convert("RGB")) for s in batch])
                answers = model(images).argmax(1).tolist()
                right += sum(int(a == s["label"]) for a, s in zip(answers, batch))
        self.assertEqual(right, right_in_go)
        if self.inputs == DEFAULT and "Generated data" in self.text:  # of which this is promised
            self.assertGreaterEqual(right / total, 0.8)

    def test_every_sample_is_read(self):
        for split in ("train", "val"):
            index = json.loads((OUT / "data" / split / "index.json").read_text())
            with tempfile.TemporaryDirectory() as cache:
                data = StreamingDataset(remote=str(OUT / "data" / split), local=cache, batch_size=1, shuffle=False, validate_hash="sha1")
                seen = 0
                for sample in data:
                    self.assertLess(sample["label"], len(self.labels))
                    sample["image"].load()
                    seen += 1
            self.assertEqual(seen, sum(shard["samples"] for shard in index["shards"]))


if __name__ == "__main__":
    unittest.main()
