"""Trains the demo model on a file of corpus/make_corpus.py on the CPU; the same seed gives the same batches in the same order.

Only the assistant's words count towards the loss, the first ones of an answer most. A checkpoint is written every two minutes: write_gguf.py takes any.
"""
import argparse
import array
import json
import pathlib
import queue
import random
import time
from concurrent.futures import ThreadPoolExecutor

import numpy
import torch

from network import SHAPE, initial_weights
from optimizer import Optimizer
from passes import Pass
from tokenizer import HERE, Tokenizer

POOL = 4096  # conversations sorted by length together, so that little padding is computed
PART_TOKENS, PARTS = 1536, 4  # a batch is four parts of at most so many tokens; a thread takes the next part when it is free
THREADS = 2
SPELLED_SHARE, SPELLED_SKIP = 0.08, 0.12  # of the questions, this share is encoded with this share of merges left out
HIDING_SHARE, HIDDEN = 0.5, 0.12  # in this share of conversations, each token of a question is left out with this chance: no answer may hang on one
CUT_AFTER = 10  # tokens of an answer; by then it is decided which one it is, and the rest of it is known by heart soon
WARM_UP_STEPS = 40
MATRIX_RATE, TOKEN_RATES, DECAY = 0.02, {"embedding": 0.005, "output": 0.002}, 0.05


def load(path, tokenizer, seed, cut_share):
    """All tokens in a row, how much each counts, and where each conversation begins."""
    rng = random.Random(seed)
    tokens, weights, starts = array.array("H"), array.array("B"), [0]
    with open(path, encoding="utf-8") as file:
        for line in file:
            skip = (lambda: rng.random() < SPELLED_SKIP) if rng.random() < SPELLED_SHARE else None
            hides = (lambda: rng.random() < HIDDEN) if rng.random() < HIDING_SHARE else None
            ids, counts = tokenizer.encode_conversation(json.loads(line)["messages"], skip, hides)
            if rng.random() < cut_share:
                last = max(at for at, count in enumerate(counts) if count and not counts[at - 1])
                ids, counts = ids[:last + CUT_AFTER], counts[:last + CUT_AFTER]
            if rng.random() < 0.3:  # some runtimes put a beginning-of-text token first
                ids, counts = [0] + ids, [0] + counts
            tokens.extend(ids[:1024])
            weights.extend(counts[:1024])
            starts.append(len(tokens))
    return numpy.array(tokens), numpy.array(weights), numpy.array(starts)


def parts(tokens, weights, starts, seed):
    """Endless; each round shuffles anew. Yields ids, targets and how much each counts."""
    rng = random.Random(seed)
    lengths = numpy.diff(starts)
    while True:
        order = list(range(len(lengths)))
        rng.shuffle(order)
        ready = []
        for start in range(0, len(order), POOL):
            current = []
            for index in sorted(order[start:start + POOL], key=lambda index: lengths[index]):
                if current and lengths[index] * (len(current) + 1) > PART_TOKENS:
                    ready.append(current)
                    current = []
                current.append(index)
            ready.append(current)
        rng.shuffle(ready)
        for part in ready:
            length = max(lengths[index] for index in part)
            ids, counts = numpy.zeros((len(part), length), dtype=numpy.int64), numpy.zeros((len(part), length), dtype=numpy.float32)
            for row, index in enumerate(part):
                where = slice(starts[index], starts[index + 1])
                ids[row, :lengths[index]], counts[row, :lengths[index]] = tokens[where], weights[where]
            ids, counts = torch.from_numpy(ids), torch.from_numpy(counts)
            yield ids[:, :-1].contiguous(), ids[:, 1:].contiguous(), counts[:, 1:].contiguous()


def learn(workers, passes, weights, batch):
    """Returns the gradients and the mean loss of an answer's tokens and of its first one."""
    everything = sum(counts.sum() for _, _, counts in batch)
    free, losses, firsts = queue.SimpleQueue(), [], []
    for one in passes:
        for gradient in one.gradients.values():
            gradient.zero_()
        free.put(one)

    def work(part):
        ids, targets, counts = part
        one = free.get()
        wanted, each = one.run(weights, ids, targets, counts / everything)
        free.put(one)
        before = torch.cat((torch.zeros(counts.shape[0], 1), counts[:, :-1]), 1).reshape(-1)
        losses.append(each)
        firsts.append(each[before[wanted] == 0])

    list(workers.map(work, batch))
    first, *others = (one.gradients for one in passes)
    for name, gradient in first.items():
        for other in others:
            gradient += other[name]
    return first, torch.cat(losses).mean().item(), torch.cat(firsts).mean().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--minutes", type=float, default=0, help="finish the schedule by then even if fewer steps were made; 0: no limit")
    parser.add_argument("--rate", type=float, default=1.0, help="a factor for all learning rates")
    parser.add_argument("--end-rate", type=float, default=0.0, help="what the rates have fallen to at the end, as a share")
    parser.add_argument("--cut", type=float, default=0.75, help="share of conversations whose last answer is cut after its first tokens: more questions in the same time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--full-precision", action="store_true", help="no bfloat16, for processors without it")
    parser.add_argument("--embedding", help="start from this embedding, which first_lesson.py writes, instead of a random one")
    parser.add_argument("--from-checkpoint", help="start from these weights instead of random ones")
    parser.add_argument("--out", default=str(HERE / "build" / "checkpoint.pt"))
    options = parser.parse_args()
    torch.set_num_threads(1)

    started = time.time()
    tokenizer = Tokenizer.load()
    tokens, counts, starts = load(options.corpus, tokenizer, options.seed, options.cut)
    shape, master = SHAPE, initial_weights(len(tokenizer.tokens), SHAPE, options.seed)
    if options.embedding:
        master["embedding"] = torch.load(options.embedding)
    if options.from_checkpoint:
        checkpoint = torch.load(options.from_checkpoint)
        shape, master = checkpoint["shape"], checkpoint["weights"]
    print(f"{len(starts) - 1} conversations, {len(tokens)} tokens; "
          f"{sum(weight.numel() for weight in master.values())} parameters; read in {time.time() - started:.0f} s", flush=True)
    passes = [Pass(master, shape, options.full_precision) for _ in range(THREADS)]
    optimizer = Optimizer(master, shape, MATRIX_RATE, TOKEN_RATES, DECAY, passes[0].number)

    def save():
        torch.save({"weights": master, "shape": shape}, options.out + ".part")
        pathlib.Path(options.out + ".part").replace(options.out)

    workers = ThreadPoolExecutor(THREADS, initializer=torch.set_num_threads, initargs=(1,))
    source = parts(tokens, counts, starts, options.seed)
    started = saved = time.time()
    seen, step, mean_all, mean_first = 0, 0, None, None
    while True:
        progress = step / options.steps
        if options.minutes:
            progress = max(progress, (time.time() - started) / 60 / options.minutes)
        if progress >= 1:
            break
        batch = [next(source) for _ in range(PARTS)]
        weights = {name: weight.to(passes[0].number) for name, weight in master.items()}
        gradients, loss, first = learn(workers, passes, weights, batch)
        factor = options.rate * min((step + 1) / WARM_UP_STEPS, options.end_rate + (1 - options.end_rate) * min(1, 1.2 * (1 - progress)))
        list(workers.map(lambda job: job(), optimizer.jobs(gradients, factor)))
        step += 1
        seen += sum(ids.numel() for ids, _, _ in batch)
        mean_all = loss if mean_all is None else 0.98 * mean_all + 0.02 * loss
        mean_first = first if mean_first is None else 0.98 * mean_first + 0.02 * first
        if step % 50 == 0:
            minutes = (time.time() - started) / 60
            print(f"step {step} of {options.steps}, answer loss {mean_all:.4f}, first token {mean_first:.4f}, {seen} tokens, {seen / 60 / minutes:.0f} tokens/s, {minutes:.1f} min", flush=True)
        if time.time() - saved > 120:
            save()
            saved = time.time()
    save()
    print(f"done: {step} steps, {seen} tokens, answer loss {mean_all:.4f}, first token {mean_first:.4f}, {(time.time() - started) / 60:.1f} minutes", flush=True)


if __name__ == "__main__":
    main()
