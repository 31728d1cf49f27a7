"""Teaches the first layer and the embedding which topic a question is about, before or between rounds of train.py.

Only the position where the answer begins is computed, so this sees thousands of questions per second: a hundred times what train.py can.
"""
import argparse
import json
import math
import random
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

from network import Network, rotate
from tokenizer import HERE, START, Tokenizer

sys.path.insert(0, str(HERE / "corpus"))
import computed
import unknown
from topic_file import read_topics


def classes():
    """Which topic an answer belongs to, for all wordings."""
    groups, topics = read_topics(HERE / "corpus" / "topics")
    found = {}
    for topic in topics.values():
        for answer in topic.answers:
            found[answer] = topic.name
    for answer in unknown.ANSWERS:
        found[answer] = "unknown"
    for answer in computed.TOO_HARD:
        found[answer] = "too hard"
    for _, answer in computed.LISTS:
        found[answer] = answer
    names = {name: number for number, name in enumerate(sorted(set(found.values())) + ["sum", "order", "count", "time"])}
    return {answer: names[name] for answer, name in found.items()}, names


def kind_of_number(answer):
    return "sum" if "=" in answer else "order" if "comes" in answer else "time" if " has " in answer else "count"


def load(paths, tokenizer, answer_class, names, limit, seed):
    rng = random.Random(seed)
    prompt_end = [START] + tokenizer.encode("assistant\n")
    examples = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file):
                if number == limit:
                    break
                messages = json.loads(line)["messages"]
                first = 1 if messages[0]["role"] == "system" else 0
                skip = (lambda: rng.random() < 0.12) if rng.random() < 0.1 else None
                # Mostly without the system prompt, for speed; some with it, so that it is ignored.
                start = 0 if rng.random() < 0.3 else first
                ids, _ = tokenizer.encode_conversation(messages[start:first + 1], skip)
                answer = messages[first + 1]["content"]
                label = answer_class.get(answer, None)
                if label is None:
                    label = names[kind_of_number(answer)]
                examples.append((ids + prompt_end, label))
    return examples


def topic_scores(network, head, ids, lengths):
    """The first layer at the last position of each row only."""
    layer, rows = network.layers[0], torch.arange(len(ids))
    x = network.embedding(ids)
    last = x[rows, lengths - 1]
    normed = layer.attention_norm(x)
    batch, length, width = x.shape
    k, v = (part(normed).view(batch, length, layer.heads, -1).transpose(1, 2) for part in (layer.k, layer.v))
    q = layer.q(normed[rows, lengths - 1]).view(batch, layer.heads, 1, -1)
    cos, sin = network.cos[lengths - 1][:, None, None], network.sin[lengths - 1][:, None, None]
    q, k = rotate(q.float(), cos, sin), rotate(k.float(), network.cos[:length], network.sin[:length])
    scores = (q @ k.transpose(-1, -2)) * (width // layer.heads) ** -0.5
    scores = scores.masked_fill((torch.arange(length)[None] >= lengths[:, None])[:, None, None], float("-inf"))
    pooled = (torch.softmax(scores, -1) @ v.float()).reshape(batch, width)
    last = last + layer.o(pooled)
    normed = layer.feed_forward_norm(last)
    last = last + layer.down(F.silu(layer.gate(normed)) * layer.up(normed))
    return head(last.float())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from-checkpoint", help="of a network with one layer less: a first layer is put before it")
    parser.add_argument("--out", default=str(HERE / "build" / "first-layer.pt"))
    parser.add_argument("--minutes", type=float, default=4)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=192)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--limit", type=int, default=100_000)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    tokenizer = Tokenizer.load()
    network = Network(len(tokenizer.tokens))
    if options.from_checkpoint:
        old = torch.load(options.from_checkpoint)["weights"]
        new = {}
        for name, weight in old.items():
            parts = name.split(".")
            if parts[0] == "layers":
                parts[1] = str(int(parts[1]) + 1)
            new[".".join(parts)] = weight
        new.setdefault("output.weight", old["embedding.weight"].clone())
        network.load_state_dict(new, strict=False)
    answer_class, names = classes()
    examples = load([HERE / "build" / f"corpus-{stage}.jsonl" for stage in (3, 1)], tokenizer, answer_class, names, options.limit, options.seed)
    rng = random.Random(options.seed)
    rng.shuffle(examples)
    held, examples = examples[:1500], examples[1500:]
    head = nn.Linear(network.shape["width"], len(names))
    trained = list(network.layers[0].parameters()) + list(head.parameters())
    optimizer = torch.optim.AdamW([{"params": trained, "scale": 1.0}, {"params": [network.embedding.weight], "scale": 0.5}], lr=options.rate, weight_decay=0.01, betas=(0.9, 0.98))
    print(f"{len(examples)} questions, {len(names)} topics", flush=True)

    def packed(some):
        lengths = torch.tensor([len(ids) for ids, _ in some])
        ids = torch.zeros(len(some), int(lengths.max()), dtype=torch.long)
        for row, (one, _) in enumerate(some):
            ids[row, :len(one)] = torch.tensor(one)
        return ids, lengths, torch.tensor([label for _, label in some])

    started, smooth, step, reported = time.time(), None, 0, 0.0
    while True:
        rng.shuffle(examples)
        pool = 64 * options.batch
        for begin in range(0, len(examples), pool):
            part = sorted(examples[begin:begin + pool], key=lambda example: len(example[0]))
            groups = [part[at:at + options.batch] for at in range(0, len(part), options.batch)]
            rng.shuffle(groups)
            for group in groups:
                progress = max(step / options.steps, (time.time() - started) / 60 / options.minutes)
                if progress >= 1:
                    with torch.no_grad():
                        right = sum(int((topic_scores(network, head, *packed(held[at:at + 250])[:2]).argmax(1) == packed(held[at:at + 250])[2]).sum()) for at in range(0, len(held), 250))
                    torch.save({"weights": network.state_dict(), "shape": network.shape}, options.out)
                    print(f"done: {step} steps, loss {smooth:.3f}, {100 * right / len(held):.1f} % of {len(held)} other questions right, {(time.time() - started) / 60:.1f} minutes", flush=True)
                    return
                for settings in optimizer.param_groups:
                    settings["lr"] = options.rate * settings["scale"] * min(1, (step + 1) / 50) * (0.5 + 0.5 * math.cos(math.pi * progress))
                ids, lengths, labels = packed(group)
                with torch.autocast("cpu", dtype=torch.bfloat16):
                    scores = topic_scores(network, head, ids, lengths)
                loss = F.cross_entropy(scores.float(), labels)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                smooth = loss.item() if smooth is None else 0.95 * smooth + 0.05 * loss.item()
                step += 1
                if time.time() - reported > 15:
                    reported = time.time()
                    print(f"step {step}, loss {smooth:.3f}, {(reported - started):.0f} s", flush=True)


if __name__ == "__main__":
    main()
