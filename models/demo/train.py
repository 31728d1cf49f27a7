"""Trains the demo model on build/corpus-STAGE.jsonl with PyTorch on the CPU; the same seed gives the same batches in the same order.

The assistant's words count towards the loss, its first ones most, and the user's a little. A checkpoint is written every two minutes: write_gguf.py takes any of them.
"""
import argparse
import json
import math
import pathlib
import random
import time

import numpy
import torch
import torch.nn.functional as F

from network import Network
from tokenizer import HERE, Tokenizer

POOL = 4096  # conversations sorted by length together, so that little padding is computed
SPELLED_SHARE, SPELLED_SKIP = 0.08, 0.12  # of the questions, this share is encoded with this share of merges left out


CUT_AFTER = 10  # tokens of an answer; by then it is decided which one it is


def load(path, tokenizer, seed, cut_share):
    rng = random.Random(seed)
    context, lengths = [], []
    with open(path, encoding="utf-8") as file:
        for line in file:
            skip = (lambda: rng.random() < SPELLED_SKIP) if rng.random() < SPELLED_SHARE else None
            ids, weights = tokenizer.encode_conversation(json.loads(line)["messages"], skip)
            if cut_share and len(weights) < 128 and weights.count(3) == 3 and rng.random() < cut_share:
                end = weights.index(3) + CUT_AFTER
                ids, weights = ids[:end], weights[:end]
            if rng.random() < 0.5:  # some runtimes put a beginning-of-text token first
                ids, weights = [0] + ids, [0] + weights
            context.append((numpy.array(ids[:1024], dtype=numpy.uint16), numpy.array(weights[:1024], dtype=numpy.float32)))
            lengths.append(len(ids))
    return context, lengths


def batches(conversations, tokens_per_batch, seed):
    """Endless; each round shuffles anew."""
    rng = random.Random(seed)
    while True:
        order = list(range(len(conversations)))
        rng.shuffle(order)
        for start in range(0, len(order), POOL):
            pool = sorted(order[start:start + POOL], key=lambda index: len(conversations[index][0]))
            ready, current, longest = [], [], 0
            for index in pool:
                longest = max(longest, len(conversations[index][0]))
                if current and longest * (len(current) + 1) > tokens_per_batch:
                    ready.append(current)
                    current, longest = [], len(conversations[index][0])
                current.append(index)
            ready.append(current)
            rng.shuffle(ready)
            for batch in ready:
                width = max(len(conversations[index][0]) for index in batch)
                ids, weights = numpy.zeros((len(batch), width), dtype=numpy.int64), numpy.zeros((len(batch), width), dtype=numpy.float32)
                for row, index in enumerate(batch):
                    some, counts = conversations[index]
                    ids[row, :len(some)], weights[row, :len(some)] = some, counts
                yield torch.from_numpy(ids), torch.from_numpy(weights)


class Threads:
    """Two threads wait for each other at every product, so beside another busy program one can be faster than two."""

    TRIAL, SETTLED = 4, 120  # steps

    def __init__(self, fixed):
        self.fixed, self.step, self.seconds = fixed, 0, {}
        torch.set_num_threads(fixed or 2)

    def before_step(self):
        self.began = time.time()
        if self.fixed:
            return
        at = self.step % (2 * self.TRIAL + self.SETTLED)
        if at == 0:
            self.seconds = {1: 0.0, 2: 0.0}
        self.count = 1 if at < self.TRIAL else 2 if at < 2 * self.TRIAL else min(self.seconds, key=self.seconds.get)
        torch.set_num_threads(self.count)

    def after_step(self):
        if not self.fixed and self.step % (2 * self.TRIAL + self.SETTLED) < 2 * self.TRIAL:
            self.seconds[self.count] += time.time() - self.began
        self.step += 1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", default=str(HERE / "build" / "corpus-1.jsonl"))
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--minutes", type=float, default=0, help="finish the schedule by then even if fewer steps were made; 0: no limit")
    parser.add_argument("--tokens", type=int, default=2560, help="per batch, padding included")
    parser.add_argument("--rate", type=float, default=8e-4)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0, help="0: try one and two now and then, and take the faster; a busy machine favours one")
    parser.add_argument("--cut", type=float, default=0, help="share of single questions whose answer is cut after its first tokens: more questions in the same time")
    parser.add_argument("--full-precision", action="store_true", help="no bfloat16, for processors without it")
    parser.add_argument("--from-checkpoint", help="start from these weights instead of random ones")
    parser.add_argument("--out", default=str(HERE / "build" / "checkpoint.pt"))
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    threads = Threads(options.threads)

    started = time.time()
    tokenizer = Tokenizer.load()
    conversations, lengths = load(options.corpus, tokenizer, options.seed, options.cut)
    network = Network(len(tokenizer.tokens))
    if options.from_checkpoint:
        network.load_state_dict(torch.load(options.from_checkpoint)["weights"])
    print(f"{len(conversations)} conversations, {sum(lengths)} tokens, longest {max(lengths)}; "
          f"{sum(weight.numel() for weight in network.parameters())} parameters; read in {time.time() - started:.0f} s", flush=True)
    decayed = [weight for weight in network.parameters() if weight.dim() == 2]
    plain = [weight for weight in network.parameters() if weight.dim() == 1]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}], lr=options.rate, betas=(0.9, 0.98))
    pathlib.Path(options.out).parent.mkdir(parents=True, exist_ok=True)

    def save():
        torch.save({"weights": network.state_dict(), "shape": network.shape}, options.out + ".part")
        pathlib.Path(options.out + ".part").replace(options.out)

    started = saved = reported = time.time()
    seen, smooth = 0, None
    for step, (ids, weights) in enumerate(batches(conversations, options.tokens, options.seed)):
        progress = step / options.steps
        if options.minutes:
            progress = max(progress, (time.time() - started) / 60 / options.minutes)
        if progress >= 1:
            break
        rate = options.rate * min(1, (step + 1) / 60) * (0.01 + 0.99 * (0.5 + 0.5 * math.cos(math.pi * progress)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        threads.before_step()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=not options.full_precision):
            wanted = weights[:, 1:] > 0
            scores = network.logits(network(ids[:, :-1])[wanted])
        counts = weights[:, 1:][wanted]
        each = F.cross_entropy(scores.float(), ids[:, 1:][wanted], reduction="none")
        loss = (each * counts).sum() / counts.sum()
        answers = each.detach()[counts >= 1].mean().item()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        threads.after_step()
        seen += ids.numel()
        smooth = answers if smooth is None else 0.97 * smooth + 0.03 * answers
        if step % 50 == 0 or time.time() - reported > 60:
            reported = time.time()
            print(f"step {step} of {options.steps}, answer loss {smooth:.4f}, rate {rate:.5f}, {seen} tokens, {seen / (reported - started):.0f} tokens/s, {torch.get_num_threads()} threads, {(reported - started) / 60:.1f} min", flush=True)
        if time.time() - saved > 120:
            save()
            saved = time.time()
    save()
    print(f"done: {step} steps, {seen} tokens, answer loss {smooth:.4f}, {(time.time() - started) / 60:.1f} minutes", flush=True)


if __name__ == "__main__":
    main()
