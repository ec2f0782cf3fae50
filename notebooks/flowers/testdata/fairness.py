"""How well the drawn flowers can be learnt: torchvision's mobilenet_v2 from scratch, with the tutorial's settings.

    go run gomosaic/notebooks/flowers/cmd/genflowers FOLDER
    python fairness.py FOLDER [EPOCHS [SEED]]      (needs torch, torchvision, Pillow, xxhash)

Recipe 1, seed 1 of the drawing (torch 2.15.0, torchvision 0.29.2, Pillow 13.0.0, THREADS=1, some 160 CPU seconds):

    epoch                                1    2    3    4    5    6    7    8    9   10
    validation accuracy, seed 0        .19  .25  .37  .61  .64  .85  .89  .93  .99  .98
    validation accuracy, seed 1        .19  .19  .35  .50  .65  .85  .85  .94  .97  .97

A nearest-centroid classifier on colour histograms stays near chance, .18 to .25 (TestColoursTellNothing).
"""
import os, random, sys, time
import numpy as np, torch, torchvision, xxhash
from PIL import Image
from torchvision import transforms as T

arguments = sys.argv[2:] + ["10", "0"][len(sys.argv[2:]) :]
folder, epochs, seed = sys.argv[1], int(arguments[0]), int(arguments[1])
torch.set_num_threads(int(os.environ.get("THREADS", 2)))
kinds = sorted(k for k in os.listdir(folder) if os.path.isdir(os.path.join(folder, k)))
split = [[], []]
for y, kind in enumerate(kinds):
    for f in sorted(os.listdir(os.path.join(folder, kind))):
        bucket = xxhash.xxh64_intdigest(f"{kind}/{f}", seed=42)
        bucket -= (bucket >> 63) << 64  # signed, as Spark's
        split[bucket % 10000 >= 9000].append((os.path.join(folder, kind, f), y))
for part in split:
    random.Random(0).shuffle(part)
train, val = [[(Image.open(f).convert("RGB"), y) for f, y in part[:n]] for part, n in zip(split, (1500, 150))]
normalize = T.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
augment = T.Compose([T.RandomResizedCrop(96, scale=(0.6, 1)), T.RandomHorizontalFlip(), T.ToTensor(), normalize])
evaluate = T.Compose([T.Resize(96), T.CenterCrop(96), T.ToTensor(), normalize])
vx, vy = torch.stack([evaluate(i) for i, _ in val]), torch.tensor([y for _, y in val])
torch.manual_seed(seed)
model = torchvision.models.mobilenet_v2(num_classes=len(kinds))
steps = len(train) // 32
opt = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.02)
schedule = torch.optim.lr_scheduler.OneCycleLR(opt, 4e-3, total_steps=epochs * steps)
start = time.time()
for epoch in range(epochs):
    model.train()
    order, total = np.random.RandomState(epoch + 100 * seed).permutation(len(train)), 0.0
    for b in range(steps):
        part = [train[i] for i in order[b * 32 : b * 32 + 32]]
        x, y = torch.stack([augment(i) for i, _ in part]), torch.tensor([y for _, y in part])
        loss = torch.nn.functional.cross_entropy(model(x), y)
        opt.zero_grad()
        loss.backward()
        opt.step()
        schedule.step()
        total += loss.item()
    model.eval()
    with torch.no_grad():
        accuracy = (model(vx).argmax(1) == vy).float().mean().item()
    print(f"epoch {epoch + 1}: loss {total / steps:.3f}, validation accuracy {accuracy:.3f}, {time.time() - start:.0f} s", flush=True)
