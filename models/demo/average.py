"""The average of two checkpoints of one run after the other: it answers more new questions than either of them.

Source: Wortsman and others, "Model soups", 2022.
"""
import argparse

import torch

from network import SHAPE
from tokenizer import HERE


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--of", nargs=2, required=True, metavar="CHECKPOINT")
    parser.add_argument("--share", type=float, default=0.65, help="of the second one")
    parser.add_argument("--out", default=str(HERE / "build" / "checkpoint.pt"))
    options = parser.parse_args()
    first, second = (torch.load(path)["weights"] for path in options.of)
    weights = {name: (1 - options.share) * first[name] + options.share * second[name] for name in first}
    torch.save({"weights": weights, "shape": SHAPE}, options.out)


if __name__ == "__main__":
    main()
