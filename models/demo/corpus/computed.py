"""Conversations that are computed: small sums, products and differences, and simple lists."""
COLOURS = "red, orange, yellow, green, blue and violet"
LISTS = [
    (("the days of the week", "all days of the week", "the weekdays", "the seven days", "days of a week"), "The days are Monday, Tuesday, Wednesday, Thursday, Friday, Saturday and Sunday."),
    (("the months of the year", "all months", "the twelve months", "months of a year", "the months"), "The months are January, February, March, April, May, June, July, August, September, October, November and December."),
    (("some colours", "colours", "the colours of the rainbow", "a few colors", "colors", "the rainbow colors", "five colours", "three colors"), f"Some colours are {COLOURS}."),
    (("the seasons", "the four seasons", "all seasons of the year"), "The seasons are spring, summer, autumn and winter."),
    (("the alphabet", "the letters of the alphabet", "all letters", "the abc", "the english alphabet"), "The alphabet is A B C D E F G H I J K L M N O P Q R S T U V W X Y Z."),
    (("the vowels", "all vowels", "the vowels of the alphabet"), "The vowels are A, E, I, O and U."),
    (("the even numbers up to ten", "even numbers below 11", "some even numbers"), "The even numbers up to ten are 2, 4, 6, 8 and 10."),
    (("the odd numbers up to ten", "odd numbers below 10", "some odd numbers"), "The odd numbers up to ten are 1, 3, 5, 7 and 9."),
    (("some fruits", "fruits", "three fruits", "kinds of fruit"), "Some fruits are apple, pear, banana, cherry and orange."),
    (("some animals", "animals", "three animals", "a few animals"), "Some animals are cat, dog, horse, cow and bird."),
    (("the directions", "the points of the compass", "the four directions"), "The directions are north, east, south and west."),
]
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()
LISTING = "list {x} / name {x} / what are {x} / tell me {x} / {x} / give me {x} / can you list {x} / say {x} / write down {x} / list of {x} / enumerate {x} / which are {x} / do you know {x} / name me {x} / recite {x} / show me {x} / I need {x}".split(" / ")
COUNTING = "count to {n} / count up to {n} / count from 1 to {n} / can you count to {n} / count from one to {n} / list the numbers from 1 to {n} / list the numbers up to {n} / numbers from 1 to {n} / numbers 1 to {n} / say the numbers to {n}".split(" / ")
WORDS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty".split()
ASKING_SUM = "what is {e} / what's {e} / {e} / {e} / {e} = / {e}=? / how much is {e} / calculate {e} / compute {e} / {e} is / tell me {e} / solve {e} / work out {e} / can you calculate {e} / whats {e} / do you know {e} / what does {e} make / what do you get for {e} / the result of {e} / how much does {e} make / what does {e} equal / {e} equals / and {e}".split(" / ")
PLUS = "{a} + {b} / {a}+{b} / {a} plus {b} / {a} + {b} / {a} and {b} / the sum of {a} and {b} / {a} added to {b}".split(" / ")
MINUS = "{a} - {b} / {a}-{b} / {a} minus {b} / {a} - {b} / {a} less {b} / {a} take away {b} / the difference of {a} and {b}".split(" / ")
TIMES = "{a} * {b} / {a}*{b} / {a} times {b} / {a} x {b} / {a} multiplied by {b} / {a}x{b} / the product of {a} and {b}".split(" / ")
TOO_HARD = "I don't know that one: I am a demo model and do only small sums. Add a real model for harder ones."
HARD = ("{a} + {b}", "{a} times {b}", "{a} * {b}", "{a} divided by {c}", "{a} / {c}", "{a} - {b}", "the square root of {a}", "{a} percent of {b}", "{c} to the power of {d}", "the integral of x squared", "{c}!", "the factorial of {c}", "{a} mod {c}", "sin {c}", "log of {a}", "{a}*{b}")

FOLLOW_UPS = {
    "why": "That is how the sum comes out; I learned small sums by heart and cannot explain more.",
    "check": "Count it on your fingers or use a calculator: I am a demo model and can be wrong.",
    "more": "I do small sums, differences and products, and simple lists. For more, add a real model.",
    "always": "Yes, numbers do not change, but I am a demo model and can be wrong.",
    "then": "Nothing more: ask me another small sum or something about Phantoma.",
    "who": "Only your desktop and the worker that answers see it.",
    "how": "I learned small sums from examples and recall the result.",
}
LARGEST_SUMMAND, LARGEST_FACTOR = 20, 10  # what is learnt by heart in reasonable time


def _shown(number, rng):
    return WORDS[number] if number <= 20 and rng.random() < 0.12 else str(number)


def _pair(rng):
    largest = 10 if rng.random() < 0.5 else LARGEST_SUMMAND
    return rng.randint(0, largest), rng.randint(0, largest)


def computed_turn(rng):
    """Returns a question and its answer."""
    roll = rng.random()
    if roll < 0.62:
        kind = rng.random()
        if kind < 0.5:
            a, b = _pair(rng)
            question, answer = rng.choice(PLUS), f"{a} + {b} = {a + b}."
        elif kind < 0.75:
            a, b = sorted(_pair(rng), reverse=True)
            question, answer = rng.choice(MINUS), f"{a} - {b} = {a - b}."
        else:
            a, b = rng.randint(0, LARGEST_FACTOR), rng.randint(0, LARGEST_FACTOR)
            question, answer = rng.choice(TIMES), f"{a} x {b} = {a * b}."
        expression = question.format(a=_shown(a, rng), b=_shown(b, rng))
        return rng.choice(ASKING_SUM).format(e=expression), answer
    if roll < 0.68:
        a, b = rng.randint(101, 99999), rng.randint(101, 9999)
        expression = rng.choice(HARD).format(a=a, b=b, c=rng.randint(3, 99), d=rng.randint(3, 30))
        return rng.choice(ASKING_SUM).format(e=expression), TOO_HARD
    if roll < 0.86:
        names, answer = rng.choice(LISTS)
        return rng.choice(LISTING).format(x=rng.choice(names)), answer
    if roll < 0.92:
        n = rng.choice([3, 4, 5, 6, 7, 8, 9, 10, 10, 10, 12, 15, 20])
        numbers = [str(i) for i in range(1, n + 1)]
        shown = WORDS[n] if rng.random() < 0.4 else str(n)
        return rng.choice(COUNTING).format(n=shown), ", ".join(numbers) + "."
    if roll < 0.95:
        sequence, word = (DAYS, "day") if rng.random() < 0.6 else (MONTHS, "month")
        at, step = rng.randrange(len(sequence)), rng.choice((1, -1))
        where = "after" if step == 1 else "before"
        ask = rng.choice((f"which {word} comes {where} {sequence[at]}", f"what {word} is {where} {sequence[at]}", f"the {word} {where} {sequence[at]}", f"what comes {where} {sequence[at]}"))
        return ask, f"{sequence[(at + step) % len(sequence)]} comes {where} {sequence[at]}."
    if roll < 0.98:
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        at = rng.randrange(25)
        ask = rng.choice((f"which letter comes after {letters[at]}", f"what letter follows {letters[at]}", f"the letter after {letters[at]}", f"next letter after {letters[at]}"))
        return ask, f"{letters[at + 1]} comes after {letters[at]}."
    what, count = rng.choice((("days are in a week", "A week has 7 days."), ("months are in a year", "A year has 12 months."), ("hours are in a day", "A day has 24 hours."), ("letters are in the alphabet", "The alphabet has 26 letters."),
                              ("minutes are in an hour", "An hour has 60 minutes."), ("days does a week have", "A week has 7 days."), ("months does a year have", "A year has 12 months."), ("seconds are in a minute", "A minute has 60 seconds.")))
    return f"how many {what}", count
