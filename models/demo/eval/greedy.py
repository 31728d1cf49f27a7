"""Answers one question with PyTorch, greedily, as a second opinion on what llama.cpp computes from model.gguf (which is rounded to Q8_0)."""
import argparse
import pathlib
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from network import scores
from tokenizer import END, HERE, Tokenizer

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("questions", nargs="+")
parser.add_argument("--checkpoint", default=str(HERE / "build" / "checkpoint.pt"))
options = parser.parse_args()
torch.set_num_threads(1)
tokenizer, checkpoint = Tokenizer.load(), torch.load(options.checkpoint, map_location="cpu")
bytes_by_letter = {letter: byte for byte, letter in __import__("tokenizer").LETTERS.items()}
for question in options.questions:
    ids, _ = tokenizer.encode_conversation([{"role": "user", "content": question}, {"role": "assistant", "content": ""}])
    ids = ids[:-len([END] + tokenizer.encode("\n"))]
    answer = []
    with torch.no_grad():
        while len(answer) < 256:
            token = int(scores(checkpoint["weights"], checkpoint["shape"], torch.tensor([ids + answer]))[0, -1].argmax())
            if token == END:
                break
            answer.append(token)
    text = "".join(tokenizer.tokens[token] for token in answer)
    print(bytes(bytes_by_letter[letter] for letter in text).decode("utf-8", "replace"))
