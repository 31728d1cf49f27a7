"""Writes the training conversations of the demo model: one JSON line each, the same bytes every time.

A line is {"messages": [{"role", "content"}, …]}. Needs nothing but Python.

    python3 make_corpus.py single       writes build/corpus-single.jsonl: one question each and no system prompt, quick to learn from
    python3 make_corpus.py talk         writes build/corpus-talk.jsonl: conversations, a few after a system prompt
    python3 make_corpus.py prompted     writes build/corpus-prompted.jsonl: conversations, most after a system prompt
    python3 make_corpus.py more         writes build/corpus-more.jsonl: the same with other words, for the last run
"""
import argparse
import json
import pathlib
import random
import re

import computed
import unknown
from follow_ups import LEADS, TURNING, follow_up_question
from phrasing import NAMING, as_asked, as_typed
from system_prompts import system_prompt
from topic_file import FOLLOW_UP_KINDS, answer_to_follow_up, read_topics, spell_out

HERE = pathlib.Path(__file__).resolve().parent
SHORT_GROUP = "smalltalk"
RUN = 8  # words in a row that a question may not share with the evaluation
KINDS = {
    "single": {"seed": 1, "conversations": 400_000, "system_prompts": 0.0},
    "talk": {"seed": 20261130, "conversations": 400_000, "system_prompts": 0.2},
    "prompted": {"seed": 3, "conversations": 200_000, "system_prompts": 0.7},
    "more": {"seed": 4, "conversations": 300_000, "system_prompts": 0.7},
}
LENGTHS = (0.6, 0.9, 0.97, 0.995)  # shares of conversations with at most 1, 2, 3 and 6 turns; the rest show positions up to the context length
# Shares of the turns that open a topic; the rest are questions about Phantoma. SHARE_FOLLOW_UP is of the later turns.
SHARE_UNKNOWN, SHARE_COMPUTED, SHARE_FOLLOW_UP = 0.17, 0.10, 0.75


def words_of(text):
    return re.findall(r"[^\W_]+", text.lower())


def held_out(path=HERE.parent / "eval" / "questions.json"):
    """The evaluation's questions, and their runs of eight words: what chance makes equal to one of them is left out."""
    entries = json.loads(path.read_text("utf-8"))
    asked = [words_of(text) for entry in entries for text in [entry["question"], *entry.get("before", [])]]
    return {" ".join(words_of(entry["question"])) for entry in entries} | {" ".join(words[at:at + RUN]) for words in asked for at in range(len(words) - RUN + 1)}


class Speaker:
    """Draws turns; remembers what the last one was about, because follow-ups depend on it."""

    def __init__(self, rng, topics):
        self.rng, self.topics, self.held_out = rng, topics, held_out()
        self.ordered = sorted(topics.values(), key=lambda topic: topic.name)
        # Topics with many questions are asked a little more often.
        self.weights = [(len(t.questions) + len(t.names)) ** 0.5 * (0.8 if t.group.name == SHORT_GROUP else 1) for t in self.ordered]
        self.last = None

    def turn(self):
        """A turn that the evaluation does not ask."""
        before = self.last
        while True:
            question, answer = self.any_turn()
            words = words_of(question)
            if not any(" ".join(words[at:at + RUN]) in self.held_out for at in range(max(1, len(words) - RUN + 1))) and " ".join(words) not in self.held_out:
                return question, answer
            self.last = before

    def any_turn(self):
        rng = self.rng
        if self.last is not None and rng.random() < SHARE_FOLLOW_UP:
            return self.going_on()
        roll = rng.random()
        if roll < SHARE_UNKNOWN:
            return self.about_unknown()
        if roll < SHARE_UNKNOWN + SHARE_COMPUTED:
            return self.about_numbers()
        return self.about(rng.choices(self.ordered, self.weights)[0])

    def about(self, topic):
        rng = self.rng
        self.last = topic
        if topic.names and rng.random() < min(0.4, 0.18 + 0.03 * len(topic.names)):
            text = rng.choice(NAMING).format(k=rng.choice(topic.names))
            if len(text.split()) <= 3 and rng.random() < 0.5:
                return as_typed(text, rng), topic.answer
        else:
            text = spell_out(rng.choice(topic.questions), rng)
        return as_asked(text, rng, topic.group.name == SHORT_GROUP), topic.answer

    def about_unknown(self):
        self.last = unknown
        return as_asked(unknown.unknown_question(self.rng), self.rng), unknown.ANSWER

    def about_numbers(self):
        self.last = computed
        question, answer = computed.computed_turn(self.rng)
        return as_asked(question, self.rng, short=True), answer

    def going_on(self):
        rng, last = self.rng, self.last
        if last in (unknown, computed):
            kind = rng.choice(FOLLOW_UP_KINDS)
            if rng.random() < 0.3:
                return self.about_unknown() if last is unknown else self.about_numbers()
            return as_typed(follow_up_question(kind, rng), rng), last.FOLLOW_UPS[kind]
        siblings = last.group.topics
        if rng.random() < 0.4:
            pointing = [topic for topic in siblings if topic.context_questions and topic is not last]
            if pointing and rng.random() < 0.6:
                topic = rng.choice(pointing)
                text = rng.choice(topic.context_questions)
                text = rng.choice(LEADS) + text if rng.random() < 0.3 else text
            else:
                near = siblings if rng.random() < 0.5 else self.ordered
                named = [topic for topic in near if topic.names and topic is not last]
                if not named:
                    return self.about(rng.choice(siblings))
                topic = rng.choice(named)
                text = rng.choice(TURNING).format(k=rng.choice(topic.names))
            self.last = topic
            return as_asked(text, rng, short=rng.random() < 0.7), topic.answer
        kind = rng.choice(FOLLOW_UP_KINDS)
        return as_typed(follow_up_question(kind, rng), rng), answer_to_follow_up(last, kind, self.topics)


def turns_in_conversation(rng):
    roll = rng.random()
    for turns, share in enumerate(LENGTHS[:3], 1):
        if roll < share:
            return turns
    return rng.randint(4, 6) if roll < LENGTHS[3] else rng.randint(7, 16)


def conversations(kind):
    rng = random.Random(KINDS[kind]["seed"])
    _, topics = read_topics(HERE / "topics")
    speaker = Speaker(rng, topics)
    for _ in range(KINDS[kind]["conversations"]):
        speaker.last = None
        messages = []
        if kind != "single" and rng.random() < KINDS[kind]["system_prompts"]:
            messages.append({"role": "system", "content": system_prompt(rng)})
        for _ in range(1 if kind == "single" else turns_in_conversation(rng)):
            question, answer = speaker.turn()
            messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        yield messages


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    kind = parser.parse_args().kind
    out = HERE.parent / "build" / f"corpus-{kind}.jsonl"
    out.parent.mkdir(parents=True, exist_ok=True)
    turns = 0
    with out.open("w", encoding="utf-8") as file:
        for messages in conversations(kind):
            turns += sum(message["role"] == "user" for message in messages)
            file.write(json.dumps({"messages": messages}, ensure_ascii=False) + "\n")
    print(f"{KINDS[kind]['conversations']} conversations, {turns} turns, {out.stat().st_size} bytes in {out.name}")


if __name__ == "__main__":
    main()
