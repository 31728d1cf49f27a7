"""Writes the training conversations of the demo model: one JSON line each, the same bytes for the same seed and count.

A line is {"messages": [{"role", "content"}, …]}. Needs nothing but Python.

    python3 make_corpus.py --stage 1     writes build/corpus-1.jsonl: few system prompts, short and quick to learn from
    python3 make_corpus.py --stage 2     writes build/corpus-2.jsonl: system prompts before every second conversation
    python3 make_corpus.py --stage 3     writes build/corpus-3.jsonl: mostly single questions, mostly one wording of each answer
"""
import argparse
import json
import pathlib
import random

import computed
import unknown
from follow_ups import LEADS, TURNING, follow_up_question
from phrasing import NAMING, as_asked, as_typed
from system_prompts import system_prompt
from topic_file import FOLLOW_UP_KINDS, answers_to_follow_up, read_topics, spell_out

HERE = pathlib.Path(__file__).resolve().parent
SHORT_GROUP = "smalltalk"
STAGES = {
    1: {"seed": 20261123, "system_share": 0.1, "first_wording": 0.0, "lengths": (0.42, 0.67, 0.85, 0.95)},
    2: {"seed": 2, "system_share": 0.5, "first_wording": 0.0, "lengths": (0.42, 0.67, 0.85, 0.95)},
    3: {"seed": 3, "system_share": 0.15, "first_wording": 0.85, "lengths": (0.72, 0.86, 0.94, 0.99)},
}
# Shares of the turns in a conversation; the rest are questions about a topic.
SHARE_UNKNOWN, SHARE_COMPUTED, SHARE_FOLLOW_UP = 0.18, 0.13, 0.40


class Speaker:
    """Draws turns; remembers what the last one was about, because follow-ups depend on it."""

    def __init__(self, rng, topics, first_wording):
        self.rng, self.topics, self.first_wording = rng, topics, first_wording
        self.ordered = sorted(topics.values(), key=lambda topic: topic.name)
        # Topics with many questions are asked a little more often.
        self.weights = [(len(t.questions) + len(t.names)) ** 0.5 * (0.45 if t.group.name == SHORT_GROUP else 1) for t in self.ordered]
        self.last = None

    def wording(self, answers):
        if self.first_wording and self.rng.random() < self.first_wording:
            return answers[0]
        return self.rng.choice(answers)

    def turn(self):
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
                return as_typed(text, rng), self.wording(topic.answers)
        else:
            text = spell_out(rng.choice(topic.questions), rng)
        return as_asked(text, rng, topic.group.name == SHORT_GROUP), self.wording(topic.answers)

    def about_unknown(self):
        self.last = unknown
        return as_asked(unknown.unknown_question(self.rng), self.rng), self.wording(unknown.ANSWERS)

    def about_numbers(self):
        self.last = computed
        question, answer = computed.computed_turn(self.rng)
        return as_asked(question, self.rng, short=self.rng.random() < 0.7), answer

    def going_on(self):
        rng, last = self.rng, self.last
        if last in (unknown, computed):
            kind = rng.choice(FOLLOW_UP_KINDS)
            if rng.random() < 0.3:
                return self.about_unknown() if last is unknown else self.about_numbers()
            return as_typed(follow_up_question(kind, rng), rng), self.wording(last.FOLLOW_UPS[kind])
        siblings = last.group.topics
        if rng.random() < 0.4:
            pointing = [topic for topic in siblings if topic.context_questions and topic is not last]
            if pointing and rng.random() < 0.6:
                topic = rng.choice(pointing)
                text = rng.choice(topic.context_questions)
                text = rng.choice(LEADS) + text if rng.random() < 0.3 else text
            else:
                named = [topic for topic in siblings if topic.names and topic is not last]
                if not named:
                    return self.about(rng.choice(siblings))
                topic = rng.choice(named)
                text = rng.choice(TURNING).format(k=rng.choice(topic.names))
            self.last = topic
            return as_asked(text, rng, short=rng.random() < 0.7), self.wording(topic.answers)
        kind = rng.choice(FOLLOW_UP_KINDS)
        return as_typed(follow_up_question(kind, rng), rng), self.wording(answers_to_follow_up(last, kind, self.topics))


def turns_in_conversation(rng, lengths):
    """`lengths` are the shares with at most 1, 2, 3 and 6 turns. The longest show positions up to the context length."""
    roll = rng.random()
    for turns, share in enumerate(lengths[:3], 1):
        if roll < share:
            return turns
    return rng.randint(4, 6) if roll < lengths[3] else rng.randint(7, 16)


def conversations(stage, count, seed=None):
    settings = STAGES[stage]
    rng = random.Random(settings["seed"] if seed is None else seed)
    _, topics = read_topics(HERE / "topics")
    speaker = Speaker(rng, topics, settings["first_wording"])
    for _ in range(count):
        speaker.last = None
        messages = []
        if rng.random() < settings["system_share"]:
            messages.append({"role": "system", "content": system_prompt(rng)})
        for _ in range(turns_in_conversation(rng, settings["lengths"])):
            question, answer = speaker.turn()
            messages += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
        yield messages


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stage", type=int, choices=sorted(STAGES), default=1)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, help="instead of the stage's")
    parser.add_argument("--out", help="instead of build/corpus-STAGE.jsonl")
    options = parser.parse_args()
    out = pathlib.Path(options.out or HERE.parent / "build" / f"corpus-{options.stage}.jsonl")
    out.parent.mkdir(parents=True, exist_ok=True)
    turns = 0
    with out.open("w", encoding="utf-8") as file:
        for messages in conversations(options.stage, options.count, options.seed):
            turns += sum(message["role"] == "user" for message in messages)
            file.write(json.dumps({"messages": messages}, ensure_ascii=False) + "\n")
    print(f"{options.count} conversations, {turns} turns, {out.stat().st_size} bytes in {out.name}")


if __name__ == "__main__":
    main()
