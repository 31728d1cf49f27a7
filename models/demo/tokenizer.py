"""Byte-level BPE for the demo model: trains the merges, encodes as llama.cpp does with tokenizer.ggml.pre = smollm.

    python3 tokenizer.py     reads build/corpus-talk.jsonl, writes tokenizer.json
"""
import argparse
import collections
import json
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
END_OF_TEXT, START, END = range(3)
VOCABULARY = 3072
# What llama.cpp does for "smollm": digits one by one, then GPT-2's pattern inside the rest.
_DIGIT = re.compile(r"(\d)")
_WORD = re.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")


def byte_letters():
    """GPT-2's printable stand-in for each byte."""
    kept = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    letters, spare = {}, 0
    for byte in range(256):
        if byte in kept:
            letters[byte] = chr(byte)
        else:
            letters[byte] = chr(256 + spare)
            spare += 1
    return letters


LETTERS = byte_letters()


def words_of(text):
    return [word for part in _DIGIT.split(text) if part for word in _WORD.findall(part)]


def lettered(word):
    return tuple(LETTERS[byte] for byte in word.encode("utf-8"))


def train_merges(texts, count):
    """The usual greedy BPE; ties go to the pair that sorts first, so that the result is repeatable."""
    counts = collections.Counter(word for text in texts for word in words_of(text))
    words = [[list(lettered(word)), number] for word, number in sorted(counts.items())]
    pairs, where = collections.Counter(), collections.defaultdict(set)
    for index, (parts, number) in enumerate(words):
        for pair in zip(parts, parts[1:]):
            pairs[pair] += number
            where[pair].add(index)
    merges = []
    while len(merges) < count:
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        if pairs[best] < 2:
            break
        merges.append(best)
        for index in sorted(where.pop(best)):
            parts, number = words[index]
            for pair in zip(parts, parts[1:]):
                pairs[pair] -= number
            merged, at = [], 0
            while at < len(parts):
                if at + 1 < len(parts) and (parts[at], parts[at + 1]) == best:
                    merged.append(parts[at] + parts[at + 1])
                    at += 2
                else:
                    merged.append(parts[at])
                    at += 1
            words[index][0] = merged
            for pair in zip(merged, merged[1:]):
                pairs[pair] += number
                where[pair].add(index)
        del pairs[best]
    return merges


class Tokenizer:
    def __init__(self, merges):
        self.merges = [tuple(pair) for pair in merges]
        self.ranks = {pair: rank for rank, pair in enumerate(self.merges)}
        self.tokens = list(SPECIAL) + [LETTERS[byte] for byte in range(256)] + [a + b for a, b in self.merges]
        self.ids = {token: number for number, token in enumerate(self.tokens)}
        self.known = {}

    @staticmethod
    def load(path=HERE / "tokenizer.json"):
        return Tokenizer(json.loads(pathlib.Path(path).read_text("utf-8"))["merges"])

    def save(self, path=HERE / "tokenizer.json"):
        pathlib.Path(path).write_text(json.dumps({"merges": self.merges}, ensure_ascii=False, indent=0) + "\n", "utf-8")

    def encode(self, text, skip=None):
        """`skip()` says of each possible merge whether to leave it out: unmerged words teach the model spelling."""
        out = []
        for word in words_of(text):
            if skip is None:
                if word not in self.known:
                    self.known[word] = self._merge(lettered(word), None)
                out += self.known[word]
            else:
                out += self._merge(lettered(word), skip)
        return out

    def _merge(self, parts, skip):
        parts = list(parts)
        while len(parts) > 1:
            ranked = [(self.ranks.get(pair, 1 << 30), at) for at, pair in enumerate(zip(parts, parts[1:]))]
            ranked = [(rank, at) for rank, at in ranked if rank < 1 << 30 and not (skip and skip())]
            if not ranked:
                break
            _, at = min(ranked)
            parts[at:at + 2] = [parts[at] + parts[at + 1]]
        return [self.ids[part] for part in parts]

    def encode_conversation(self, messages, skip_for_user=None, hides_from_user=None):
        """ChatML; returns ids and, for each, how much its prediction counts in training."""
        ids, weights = [], []

        def add(tokens, *counts):
            ids.extend(tokens)
            weights.extend((list(counts) + [counts[-1]] * len(tokens))[:len(tokens)])
        for message in messages:
            mine = message["role"] == "assistant"
            add([START] + self.encode(message["role"] + "\n"), 0)
            text = self.encode(message["content"], None if mine else skip_for_user)
            if hides_from_user and message["role"] == "user":
                text = [token for token in text if not hides_from_user()] or text
            text.append(END)
            if mine:
                # The first tokens decide which answer it becomes; the rest is soon known by heart.
                add(text, 3, 3, 3, 1)
            else:
                add(text, 0)
            add(self.encode("\n"), 0)
        return ids, weights


CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", default=str(HERE / "build" / "corpus-talk.jsonl"))
    parser.add_argument("--conversations", type=int, default=40_000, help="how many of them to learn merges from")
    options = parser.parse_args()
    texts = ["user\n", "assistant\n", "system\n"]
    with open(options.corpus, encoding="utf-8") as file:
        for number, line in enumerate(file):
            if number == options.conversations:
                break
            texts += [message["content"] for message in json.loads(line)["messages"]]
    tokenizer = Tokenizer(train_merges(texts, VOCABULARY - 256 - len(SPECIAL)))
    tokenizer.save()
    print(f"{len(tokenizer.tokens)} tokens, {len(tokenizer.merges)} merges")


if __name__ == "__main__":
    main()
