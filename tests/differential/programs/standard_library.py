"""Ordinary use of pure-Python standard library code."""
import collections
import fractions
import heapq
import json
import re
import string
import textwrap

Pair = collections.namedtuple("Pair", "left right")


def words(text):
    return collections.Counter(re.findall(r"[a-z]+", text.lower()))


text = "the quick brown fox jumps over the lazy dog and the cat " * 3
counts = words(text)
textwrap.wrap(text, 30)
json.dumps({"a": [1, 2, {"b": None}], "c": 1.5}, indent=1)
json.loads('{"x": [1, 2, 3]}', object_hook=lambda d: d)
string.Template("$a and $b").substitute(a=1, b=2)
heap = [3, 1, 2]
heapq.heapify(heap)
heapq.merge([1], [2])
sum((fractions.Fraction(1, n) for n in range(1, 6)), fractions.Fraction(0))
p = Pair(1, 2)
p._replace(left=3)
re.sub("o", lambda m: m.group().upper(), "foo boo")
