"""Functions that C calls: by functools, re, heapq, json, dict look-ups, formats, signals."""
import atexit
import functools
import heapq
import itertools
import json
import re
import signal
import sys


def add(a, b):
    return a + b


def shout(match):
    word = match.group()
    return word.upper()


@functools.lru_cache(maxsize=2)
def cached(n):
    if n < 2:
        return n
    return cached(n - 1) + cached(n - 2)


def compare(a, b):
    return (a > b) - (a < b)


class Key:
    made = 0

    def __init__(self, n):
        self.n = n

    def __hash__(self):
        return hash(self.n % 3)

    def __eq__(self, other):
        return self.n == other.n

    def __lt__(self, other): return self.n < other.n

    def __add__(self, other):
        return Key(self.n + other.n)

    def __radd__(self, other):
        return self

    def __format__(self, spec):
        return f"<{self.n:{spec}}>"

    def __index__(self):
        return self.n

    def __bool__(self):
        return bool(
            self.n)

    def __contains__(self, other):
        return other in (
            1, 2)

    def __getattr__(self, name):
        if name == "missing":
            raise AttributeError(name)
        return name

    def __set_name__(self, owner, name):
        Key.made += 1

    def __class_getitem__(cls, item):
        return item

    double = functools.partialmethod(add, 2) if False else property(lambda self: self.n * 2)


class Base:
    def __init_subclass__(cls, **options):
        cls.options = options


class Derived(Base, loud=True):
    first = Key(1)
    second = Key(2)


class Counting(dict):
    def __missing__(self, key):
        self[key] = 0
        return 0


def handler(number, frame):
    seen.append(number)


def last_words():
    seen.append(len(seen))


seen = []
atexit.register(last_words)
functools.reduce(add, range(5), 0)
functools.partial(add, 1)(2)
cached(6)
sorted([3, 1, 2], key=functools.cmp_to_key(compare))
re.sub(r"\w+", shout, "a few words")
re.compile("x").sub(lambda m: "y" * len(seen), "xx")
keys = {Key(n): n for n in range(6)}
keys[Key(4)]
heap = [Key(n) for n in (3, 1, 2)]
heapq.heapify(heap)
heapq.heappop(heap)
sum([Key(1), Key(2)])
"{:>3} {}".format(Key(1), f"{Key(2):3}")
[10, 20, 30][Key(1)]
any(map(Key, (0, 0, 1)))
filter(None, [Key(0)]).__next__ if 3 in Key(1) else None
Key(1).anything
getattr(Key(1), "missing", None)
hasattr(Key(1), "missing")
Key[3]
Key(4).double
words = Counting()
for letter in "abca":
    words[letter] += 1
json.dumps([Key(1)], default=lambda k: k.n)
json.loads('{"a": 1}', object_hook=lambda d: len(d))
[list(g) for _, g in itertools.groupby([1, 3, 2], key=lambda n: n % 2)]
list(itertools.takewhile(lambda n: n < 3, iter(itertools.count().__next__, 9)))
"ab".translate(Counting({97: "x"}))
old = signal.signal(signal.SIGUSR1, handler)
signal.raise_signal(signal.SIGUSR1)
for _ in range(2):
    pass
signal.signal(signal.SIGUSR1, old)
max([1, 5, 2], key=lambda n: -n)
min(
    [1, 5, 2],
    key=lambda n:
        -n,
)
print(len(seen), file=sys.stderr) if not seen else None
