"""Makes one question sound like many people: openings, closings, other words, terse forms, typing errors."""
import re

OPENINGS = """hey, / hi, / hello, / hey there, / hi there, / hello there, / good morning, / good evening, / so / so, / ok so / okay, / well, / um, / and / but / now /
by the way, / quick question: / question: / one question: / a question: / small question: / just one thing: / just curious, / I'm curious, / tell me, / tell me please, /
excuse me, / sorry, / sorry to bother you, / please, / seriously, / honestly, / let me ask: / my question is: / I have a question: / for my understanding: / to be clear: /
my boss asks: / a friend asked me: / my wife wants to know: / our lawyer asks: / a customer asks: / in simple words, / in plain english, / in short, / briefly, / as a beginner: / I'm not an expert, /
I'm new here, / I am new to this. / I am a bit confused. / I'm a bit lost. / hey phantoma, / dear demo model, / listen, / look, / hmm, / oh, / alright, / right, / ok, / first of all, / another thing: / also, /
maybe a silly question, but / dumb question but / stupid question: / I keep wondering: / I was wondering: / I've been thinking: / one more thing: / next question: / what I don't get: / no idea about this:""".replace("\n", " ").split(" / ")

# These take a clause: "could you tell me what a window is".
ASKING = """can you tell me / could you tell me / could you please tell me / can you explain / could you explain / could you maybe tell me / would you tell me / please tell me / please explain / tell me /
explain / explain to me / I want to know / I'd like to know / I would like to know / I would love to know / I need to know / I wonder / I was wondering / do you know / do you happen to know / any idea /
can you help me understand / help me understand / maybe you can tell me / would you mind telling me / would you be so kind and tell me / I'm trying to understand / I am trying to find out / I don't understand /
I don't get / could someone explain / I'm not sure / let me know / show me / I have no idea / I never understood / it would be great to know / I'm curious / I'm interested in / can I ask / may I ask / I forgot""".replace("\n", " ").split(" / ")

CONTEXTS = """I just rented a vps. / I have read the website. / We are a small law firm. / I work in a hospital. / My colleague mentioned this yesterday. / I am trying out the demo. / I worry about privacy. /
I got this software yesterday. / I am setting this up for my team. / I am writing a report about this. / I'm no computer person. / I have used other tools before. / I am a journalist. / I run a small company. /
We have strict rules at work. / I am preparing a talk. / I saw it on the screen. / I clicked around a bit. / I have been using this for a week. / The readme was too long for me. / I am comparing products. /
My data is sensitive. / I don't trust anybody. / This is all new for me. / I saw this word in the console. / My admin told me to ask. / I'm on a deadline. / I like to understand things before I use them.""".replace("\n", " ").split(" / ")

CLOSINGS = """ please /, please / exactly / in simple words / in short / in a few words / here / then / actually / again / briefly / roughly / now / really / thanks /, thank you / or not / if I may ask /, do you know /, any idea / in detail / and how / today / anyway / at all /
, I wonder / please help / I don't get it / I'm confused /, explain please / for a beginner / in plain words /, just curious / as a normal user / for me / if you know /, if that makes sense / and why / right / in one sentence / in general / normally / for dummies / mate / buddy""".replace("\n", " ").split(" /")

# Each line is a set of words or phrases that may stand for each other in a question.
SAME = [line.split(" = ") for line in """how do I = how can I = how to = how would I = how does one = what do I do to = what is the way to = what's the best way to = what must I do to = I want to = I'd like to = I need to = is there a way to = where can I = how should I = how am I supposed to = what are the steps to = help me
what is = what's = whats = what exactly is = what is meant by = what the heck is = tell me about = explain = wat is
what are = what're = what exactly are = tell me about = explain
what does = what would = what will = wat does = what do
what happens if = what if = what happens when = what would happen if = suppose = what will happen if = imagine = what do you do if = and if = say
who can = who is able to = who is allowed to = who could = who may = which people can = who has the power to
can I = could I = may I = is it possible to = am I able to = is there a way to = am I allowed to
how does = how exactly does = in what way does = how do = how will = how would
how long = how many minutes = how much time = for how long
why = how come = for what reason = what is the reason = why exactly
where do I find = where is = where can I find = how do I find
explain = describe = clarify = talk about = tell me about = say something about = teach me about = elaborate on = give me details on = inform me about
what stops = what prevents = what keeps = how do you stop = what hinders
could = can = might
my prompts = my messages = my questions = what I type = my texts = what I write = my inputs = my words = my requests = the stuff I type = the things I ask
my chats = my conversations = my chat history = my talks = my dialogues = my sessions
my chat = my conversation = this conversation = my session
conversation = chat = talk = dialogue
server = machine = vps = box = host
laptop = computer = notebook = pc = macbook
language model = llm = ai model
model = llm = ai = language model = network
read = see = view = look at = access
encrypted = secured = protected = scrambled = ciphered
deleted = removed = erased = destroyed
delete = remove = erase = get rid of
mean = stand for = signify = tell me = say
memory = ram = the ram
disk = hard drive = ssd = drive = storage
internet = web = net
hacker = attacker = intruder = criminal
company = vendor = firm = manufacturer
fast = quick = speedy
big = large = huge
need = require
begin = start
safe = secure
show = display
stolen = taken away = robbed
find = locate
difference between = distinction between
provider = hoster = hosting company = host company
app = application = program = software
shown = displayed = visible
update = upgrade = new version
connection = link = line
secret = confidential = private
allowed = permitted = okay
stop = halt = prevent
automatically = by itself = on its own
button = icon = key
wiped = erased = cleared
happens = occurs = goes on = takes place
choose = pick = select
check = verify = test = make sure
quickly = fast = soon
really = truly = actually
someone = somebody = anyone = a person
people = persons = folks = guys
phone home = call home = send stuff home
install = set up = deploy
use = employ = work with
add = install = include = bring in
print = list
protect = guard = defend = shield
leak = escape = get out
inside = within = in
outside = beyond = out of
computer = pc = machine
words = text = sentences
prompt = question = message = input = request
answer = reply = response = output
secure = safe = protected
steal = take = grab
stay = remain = be left
leave = get out of = exit = go out of
attempt = try
attempts = tries
blocked = refused = stopped = denied = dropped
block = refuse = stop = deny = drop
process = program = component
runs = works = operates
run = operate = work
prove = show = demonstrate
proof = evidence
keep = hold = retain = preserve
kept = held = retained
store = save = keep = record
stored = saved = kept = recorded
know = learn = find out
send = transmit = pass = deliver
sent = transmitted = passed on
get = obtain = receive
signed = approved = signed off
sign = approve = sign off
signature = approval
signatures = approvals
engineers = developers = people
engineer = developer = programmer
release = version = build
code = software
owner = operator
open = start = make
close = shut = end
closed = shut = ended
window = download window
expire = run out = end
expires = runs out = ends
lost = gone = missing
lose = misplace
stolen = robbed = pinched
device = computer = laptop
devices = computers = laptops
second = other = additional
colleague = coworker = teammate
company = firm = business = organisation
boss = manager = employer
terminal = shell = console = command line
command = instruction
file = document
folder = directory
upload = push = send
download = fetch = pull
remove = delete = drop = take away
switch off = turn off = disable = deactivate
switch on = turn on = enable = activate
turn off = switch off = disable
set up = install = prepare = get ready
set-up = setup = installation = installing
during = while = in
after = following = once
before = ahead of = prior to
only = just = merely
always = every time = in every case
never = not ever = at no time
much = a lot = lots
many = lots of = several
simple = easy = plain
hard = difficult = tricky
small = little = tiny
good = fine = decent
bad = poor = terrible
best = top = finest
worst = lowest = poorest
mean = imply = indicate = say
meaning = sense = significance
purpose = point = aim = use
difference = distinction = contrast
limits = limitations = weaknesses = shortcomings
limit = cap = bound
protects = guards = defends = shields
encryption = crypto = ciphering
encrypt = encipher = scramble = secure
decrypt = decipher = unlock = open
network = net = line = wire
connect = link up = get through = dial
connects = links up = gets through
anything = something = any thing
everything = all of it = all
work = function = operate
possible = feasible = doable
wait = hang on = queue
worry = be concerned = be afraid
trust = rely on = believe
hack = break into = crack
hacked = broken into = cracked = compromised = taken over
crashes = dies = breaks = goes down
crash = breakdown = failure
steps = stages = phases
price = cost = fee
pay = spend = be charged
free = gratis = for nothing
supported = possible = available
support = handle = offer
list = overview = catalogue
main = principal = chief
part = piece = component
parts = pieces = components
screen = display = monitor
click = press = hit
press = hit = click = push
restart = reboot
reboot = restart
password = passphrase = pass word
key = secret key = crypto key
keys = secret keys = crypto keys
reason = cause = motive
idea = concept = notion
kind = sort = type
tell me = say = let me know = give me
give me = show me = tell me
I want to = I'd like to = I wish to = let me
is there = do you have = does it have = exists there
do I need = must I have = is it necessary to have = should I have
do I have to = must I = am I forced to = is it necessary to
what should I = what do I = what must I
which = what
actually = really = in fact
happen = occur = take place
wipe = erase = clear = clean
erased = wiped = deleted = cleared
memory = ram = main memory
leak = slip out = be exposed = get out
see = notice = spot = observe
visible = seen = readable
private = confidential = secret""".splitlines()]

_SAME_BY_PHRASE = {}
for row in SAME:
    for phrase in row[:1] if len(row) > 6 else row:
        _SAME_BY_PHRASE.setdefault(phrase.lower(), []).extend(other for other in row if other != phrase)
_SAME_PATTERN = re.compile(r"\b(" + "|".join(re.escape(p) for p in sorted(_SAME_BY_PHRASE, key=len, reverse=True)) + r")\b", re.I)

FUNCTION_WORDS = set("""a an the is are was do does did can could would will shall should may might of for to in on at with by from my me i you your we it its this that these those there
and or so then please tell explain about exactly be been have has had what which how""".split())

NAMING = """what is {k} / what's {k} / {k} / {k} / {k} / {k} / tell me about {k} / explain {k} / {k} explained / describe {k} / what about {k} / define {k} / what does {k} mean / meaning of {k} /
I want to know about {k} / what do you know about {k} / can you explain {k} / something about {k} / info on {k} / information about {k} / tell me something about {k} / {k} please / what do you mean by {k} /
give me details about {k} / what should I know about {k} / say something about {k} / how does {k} work / how about {k} / need info about {k} / I don't understand {k} / help me with {k} / talk about {k} /
what is the deal with {k} / what is {k} all about / {k}, what is that / {k} - what does it mean / what can you tell me about {k} / summarise {k} / quick summary of {k} / please explain {k} / a few words about {k} / and {k} /
why {k} / what is {k} good for / what is {k} for / purpose of {k} / details on {k} / teach me about {k} / any details on {k} / question about {k} /
what job does {k} have / role of {k} / the role of {k} here / {k} meaning / {k} definition / meaning of the word {k} / what is meant by {k} / what is this {k} about / where does {k} come in / I keep reading about {k} / I read about {k}, what is it / what do people mean by {k} /
{k} in simple terms / {k} in plain language / {k} for beginners / what's with {k} / what's up with {k} / the point of {k} / what's the point of {k} / is {k} important / why is there {k} / why does phantoma have {k} / what does phantoma mean by {k} / never heard of {k} / first time I see {k} /
could you say a word about {k} / what do I have to know about {k} / brief me on {k} / give me the basics of {k} / basics of {k} / {k}? no idea what that is / {k}, please explain / {k}: what is it / {k} = ? / so {k}, how does that work / what would I use {k} for / when do I need {k} /
tell me a bit about {k} / enlighten me about {k} / my question is about {k} / it is about {k} / something on {k} please / is there such a thing as {k} / do you have {k} / does phantoma use {k} / how do you handle {k} / what role does {k} play / the docs mention {k}""".replace("\n", " ").split(" / ")

_NEIGHBOURS = {"a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk", "k": "jl", "l": "k", "m": "n", "n": "mb", "o": "ip",
               "p": "o", "q": "w", "r": "et", "s": "ad", "t": "ry", "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x"}
_CHAT_SPELLINGS = {"you": "u", "are": "r", "please": "pls", "what": "wat", "the": "teh", "because": "cuz", "your": "ur", "thanks": "thx", "don't": "dont", "what's": "whats", "I'm": "im",
                   "can't": "cant", "doesn't": "doesnt", "isn't": "isnt", "and": "&", "to": "2", "with": "w", "about": "abt", "people": "ppl", "message": "msg", "messages": "msgs"}


def same_meaning(text, rng, share=0.25):
    def other(match):
        if rng.random() > share:
            return match.group(0)
        return rng.choice(_SAME_BY_PHRASE[match.group(0).lower()])
    return _SAME_PATTERN.sub(other, text)


def as_clause(text):
    """what is a window -> what a window is; how does it work -> how it works. Keeps what it does not know."""
    match = re.fullmatch(r"(what|who|where) (is|are) (.+)", text)
    if match and len(match.group(3).split()) <= 5:
        return f"{match.group(1)} {match.group(3)} {match.group(2)}"
    match = re.fullmatch(r"(how|where) do I (.+)", text)
    if match:
        return f"{match.group(1)} to {match.group(2)}" if match.group(1) == "how" else f"{match.group(1)} I {match.group(2)}"
    match = re.fullmatch(r"(what|how|why) does (.+) (mean|work|do|say|show)", text)
    if match:
        return f"{match.group(1)} {match.group(2)} {match.group(3)}s"
    match = re.fullmatch(r"(is|are|can|does|do|could) (\S+) (.+)", text)
    if match:
        return f"if {match.group(2)} {match.group(1)} {match.group(3)}" if match.group(1) in ("is", "are", "can", "could") else f"if {match.group(2)} {match.group(3)}"
    return text


def terse(text, rng):
    words = [word for word in text.split() if word.lower() not in FUNCTION_WORDS or rng.random() < 0.25]
    return " ".join(words) if words else text


def less_of(text, rng):
    """Without a word here and there, or with two halves exchanged: what counts is what is left."""
    words = text.split()
    if len(words) < 4:
        return text
    if rng.random() < 0.3:
        at = rng.randrange(2, len(words) - 1)
        return " ".join(words[at:]) + ", " + " ".join(words[:at])
    return " ".join(word for word in words if rng.random() > 0.15) or text


def mistype(word, rng):
    if len(word) < 4 or not word.isalpha():
        return word
    at = rng.randrange(1, len(word) - 1)
    kind = rng.randrange(6)
    if kind == 5:
        return word + word[-1] * rng.randint(1, 4)
    if kind == 0:
        return word[:at] + word[at + 1] + word[at] + word[at + 2:]
    if kind == 1:
        return word[:at] + word[at + 1:]
    if kind == 2:
        return word[:at] + word[at] + word[at:]
    if kind == 3:
        return word[:at] + rng.choice(_NEIGHBOURS.get(word[at].lower(), "e")) + word[at + 1:]
    return word[:at + 1] + rng.choice("aeiou") + word[at + 1:]


def as_typed(text, rng, is_question=True):
    """Case, punctuation and typing errors."""
    roll = rng.random()
    words = text.split()
    if roll < 0.2:
        for _ in range(1 if rng.random() < 0.7 else 2):
            at = rng.randrange(len(words))
            words[at] = mistype(words[at], rng)
    elif roll < 0.26:
        words = [_CHAT_SPELLINGS.get(word, word) if rng.random() < 0.6 else word for word in words]
    text = " ".join(words)
    roll = rng.random()
    if roll < 0.48:
        text = text[:1].upper() + text[1:]
    elif roll < 0.50:
        text = text.upper()
    elif roll < 0.85:
        text = text.lower()
    if rng.random() < 0.08:
        text = text.replace("'", "")
    roll = rng.random()
    if is_question:
        text += "?" if roll < 0.58 else "??" if roll < 0.61 else "." if roll < 0.66 else "" if roll < 0.97 else "!"
    else:
        text += "." if roll < 0.2 else "!" if roll < 0.32 else "" if roll < 0.97 else "?"
    return text


def as_asked(text, rng, short=False):
    """A whole question: other words, an opening, a closing, or the bare keywords. `short` keeps small talk short."""
    if not short:
        if rng.random() < 0.6:
            text = same_meaning(text, rng)
        if rng.random() < 0.08:
            return as_typed(terse(text, rng), rng)
        if rng.random() < 0.2:
            text = less_of(text, rng)
    roll = rng.random()
    if roll < 0.13 and not short:
        text = rng.choice(ASKING) + " " + as_clause(text)
        if rng.random() < 0.3:
            text = rng.choice(OPENINGS) + " " + text
    elif roll < 0.27:
        text = rng.choice(OPENINGS) + " " + text
    elif roll < 0.32 and not short:
        text = rng.choice(CONTEXTS) + " " + text[:1].upper() + text[1:]
    if rng.random() < 0.1:
        text += rng.choice(CLOSINGS)
    return as_typed(text, rng, is_question=not short or rng.random() < 0.3)
