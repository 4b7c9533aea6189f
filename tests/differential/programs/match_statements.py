"""match: literals, sequences, mappings, classes, guards, captures."""
from dataclasses import dataclass


@dataclass
class Point:
    x: int
    y: int


def kind(thing):
    match thing:
        case 0 | 1:
            return "bit"
        case int(n) if n < 0:
            return "negative"
        case int():
            return "int"
        case [first, *rest]:
            return kind(first), len(rest)
        case {"x": x, **others}:
            return kind(x)
        case Point(x=0, y=y):
            return "axis"
        case Point():
            return "point"
        case _:
            return "other"


for thing in (0, 5, -1, [1, 2], [], {"x": 7}, {"y": 7}, Point(0, 1), Point(1, 1), "s"):
    kind(thing)
