"""Reads the topic files: topics with their questions and answers, grouped, with follow-ups.

    == name        starts a group of topics
    F kind: text   a follow-up answer of the group, or of the topic when it stands below one; @id borrows a topic's answer
    # id           starts a topic
    K a | b        names of the thing, for terse questions
    Q text         a question; {a|b} is a choice, [x] may be left out
    P text         a question that only makes sense after another topic of the same group ("who signs it")
    A text         the answer; one wording only, because a small model learns one by heart faster than several
    + id           goes on with a topic of an earlier file
"""
import pathlib
import random

FOLLOW_UP_KINDS = ("why", "check", "more", "always", "then", "who", "how")


class Topic:
    def __init__(self, name, group):
        self.name, self.group = name, group
        self.names, self.questions, self.context_questions, self.answer, self.follow_ups = [], [], [], None, {}


class Group:
    def __init__(self, name):
        self.name, self.topics, self.follow_ups = name, [], {}


def read_topics(folder):
    groups, topics = {}, {}
    for path in sorted(pathlib.Path(folder).glob("*.txt")):
        group = topic = None
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            line = line.strip()
            if not line or line.startswith(";"):
                continue
            mark, _, rest = line.partition(" ")
            if mark == "==":
                group, topic = groups.setdefault(rest, Group(rest)), None
            elif mark == "#":
                if rest in topics:
                    raise ValueError(f"{path.name}:{number}: topic {rest} appears twice")
                topic = topics[rest] = Topic(rest, group)
                group.topics.append(topic)
            elif mark == "+":
                topic = topics[rest]
            elif mark == "K":
                topic.names += [name.strip() for name in rest.split("|")]
            elif mark == "Q":
                topic.questions.append(rest)
            elif mark == "P":
                topic.context_questions += [text.strip() for text in rest.split(" / ")]
            elif mark == "A":
                topic.answer = rest
            elif mark == "F":
                kind, _, text = rest.partition(":")
                if kind not in FOLLOW_UP_KINDS:
                    raise ValueError(f"{path.name}:{number}: unknown follow-up {kind}")
                (topic or group).follow_ups[kind] = text.strip()
            else:
                raise ValueError(f"{path.name}:{number}: not understood: {line}")
    for topic in topics.values():
        if not topic.answer or not topic.questions:
            raise ValueError(f"{topic.name}: needs questions and an answer")
        for kind in FOLLOW_UP_KINDS:
            if kind not in topic.group.follow_ups:
                raise ValueError(f"{topic.group.name}: no follow-up {kind}")
    return groups, topics


def answer_to_follow_up(topic, kind, topics):
    answer = topic.follow_ups.get(kind) or topic.group.follow_ups[kind]
    return topics[answer[1:]].answer if answer.startswith("@") else answer


def spell_out(text, rng: random.Random):
    """Chooses one reading of a question with {a|b} and [x]."""
    out, position = [], 0
    while position < len(text):
        char = text[position]
        if char in "{[":
            end = _closing(text, position)
            inner = text[position + 1:end]
            if char == "{":
                out.append(spell_out(rng.choice(_alternatives(inner)), rng))
            elif rng.random() < 0.4:
                out.append(spell_out(inner, rng))
            position = end + 1
        else:
            out.append(char)
            position += 1
    return " ".join("".join(out).split())


def _closing(text, start):
    depth = 0
    for position in range(start, len(text)):
        depth += text[position] in "{["
        depth -= text[position] in "}]"
        if depth == 0:
            return position
    raise ValueError(f"unbalanced braces: {text}")


def _alternatives(inner):
    parts, depth, current = [], 0, ""
    for char in inner:
        depth += char in "{["
        depth -= char in "}]"
        if char == "|" and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += char
    return parts + [current]
