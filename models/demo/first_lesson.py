"""A quick first lesson for the embedding: which answer do the tokens of a question lead to, in whatever order they stand?

The mean of a question's embeddings, each of the same length, must tell which answer it gets. That sees thousands of questions per second and places
words that mean the same near each other; train.py starts from there. Without it, the network spends most of its time on finding that out.
"""
import argparse
import collections
import json
import random

import numpy
import torch
import torch.nn.functional as F

from network import SHAPE, normed
from tokenizer import HERE, Tokenizer

COMMON = 100  # an answer that is this frequent is a class of its own; sums and the like are one class together
BATCH, RATE, HELD_BACK = 512, 0.02, 4_000
LEFT_OUT = 0.1  # share of a question's tokens that are hidden in training, so that no answer hangs on one word


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", default=str(HERE / "build" / "corpus-single.jsonl"))
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    rng = random.Random(options.seed)
    tokenizer = Tokenizer.load()
    questions, answers = [], []
    with open(options.corpus, encoding="utf-8") as file:
        for line in file:
            user, assistant = json.loads(line)["messages"]
            questions.append(torch.tensor(tokenizer.encode(user["content"])))
            answers.append(assistant["content"])
    frequent = [answer for answer, count in collections.Counter(answers).most_common() if count >= COMMON]
    classes = {answer: number for number, answer in enumerate(frequent)}
    labels = torch.tensor([classes.get(answer, len(frequent)) for answer in answers])
    embedding = torch.randn(len(tokenizer.tokens), SHAPE["width"]).requires_grad_()
    reader = torch.zeros(len(frequent) + 1, SHAPE["width"]).requires_grad_()
    optimizer = torch.optim.Adam([embedding, reader], lr=RATE, betas=(0.9, 0.98))

    def guesses(numbers, left_out):
        tokens = torch.cat([questions[number] for number in numbers])
        owners = torch.repeat_interleave(torch.arange(len(numbers)), torch.tensor([len(questions[number]) for number in numbers]))
        kept = (torch.rand(len(tokens)) >= left_out).float()
        sums = torch.zeros(len(numbers), SHAPE["width"]).index_add(0, owners, normed(embedding)[tokens] * kept[:, None])
        counts = torch.zeros(len(numbers)).index_add(0, owners, kept).clamp(min=1)
        return (sums / counts[:, None]) @ reader.T

    learned, back = list(range(len(questions) - HELD_BACK)), list(range(len(questions) - HELD_BACK, len(questions)))
    steps, step = options.rounds * (len(learned) // BATCH), 0
    for round_number in range(options.rounds):
        rng.shuffle(learned)
        for start in range(0, len(learned) - BATCH + 1, BATCH):
            numbers = learned[start:start + BATCH]
            loss = F.cross_entropy(guesses(numbers, LEFT_OUT), labels[numbers])
            optimizer.param_groups[0]["lr"] = RATE * (1 - step / steps)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            step += 1
        with torch.no_grad():
            right = (guesses(back, 0.0).argmax(1) == labels[back]).float().mean().item()
        print(f"round {round_number + 1} of {options.rounds}: loss {loss.item():.3f}, {100 * right:.1f} % of {HELD_BACK} questions held back lead to the right one of {len(frequent) + 1} answers", flush=True)
    torch.save(normed(embedding.detach()), HERE / "build" / "embedding.pt")


if __name__ == "__main__":
    main()
