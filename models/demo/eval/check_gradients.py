"""Compares the gradients of passes.py, written by hand, with those that PyTorch derives from network.py; fails above one percent (bfloat16: five)."""
import pathlib
import sys

import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from network import initial_weights, scores
from passes import Pass

SHAPE = {"width": 64, "layers": 2, "heads": 2, "feed_forward": 96, "context": 64}
VOCABULARY = 96
failed = False
for full_precision, allowed in ((True, 0.01), (False, 0.05)):
    weights = initial_weights(VOCABULARY, SHAPE, seed=1)
    for name in weights:
        weights[name] = weights[name] + torch.randn_like(weights[name]) * 0.1  # what starts at nothing has no gradient to compare
    ids = torch.randint(VOCABULARY, (3, 17))
    counts = (torch.rand(3, 16) < 0.5).float() * 0.25
    asked, targets = ids[:, :-1].contiguous(), ids[:, 1:].contiguous()
    learned = {name: weight.clone().requires_grad_() for name, weight in weights.items()}
    losses = F.cross_entropy(scores(learned, SHAPE, asked).flatten(0, 1), targets.flatten(), reduction="none")
    (losses * counts.flatten()).sum().backward()
    by_hand = Pass(weights, SHAPE, full_precision)
    by_hand.run({name: weight.to(by_hand.number) for name, weight in weights.items()}, asked, targets, counts)
    for name, weight in learned.items():
        off = ((by_hand.gradients[name] - weight.grad).norm() / weight.grad.norm()).item()
        failed |= not off < allowed
        print(f"{'float' if full_precision else 'bfloat16'} {name}: off by {100 * off:.3f} %")
sys.exit(failed)
