"""Prints training texts with the ids that tokenizer.py gives them, one JSON line each, for eval/check-tokens.ts."""
import argparse
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from tokenizer import HERE, Tokenizer

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--corpus", default=str(HERE / "build" / "corpus-prompted.jsonl"))
options = parser.parse_args()
tokenizer = Tokenizer.load()
seen = set()
with open(options.corpus, encoding="utf-8") as file:
    for line in file:
        messages = json.loads(line)["messages"]
        for text in [message["content"] for message in messages]:
            if text not in seen:
                seen.add(text)
                print(json.dumps({"text": text, "ids": tokenizer.encode(text)}))
        print(json.dumps({"messages": messages, "ids": tokenizer.encode_conversation(messages)[0]}))
