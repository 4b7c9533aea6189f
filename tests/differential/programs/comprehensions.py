"""List, set, dict comprehensions; nested, filtered, over several lines."""


def square(n):
    return n * n


def build(n):
    squares = [square(i) for i in range(n)]
    evens = {i for i in squares if i % 2 == 0}
    table = {i: square(i) for i in evens}
    grid = [[i * j for i in range(3)] for j in range(4)]
    flat = [
        square(item)
        for row in grid
        for item in row
        if item > 1
        if item != 4
    ]
    return squares, evens, table, flat


build(0)
build(5)
module_level = [square(i) for i in range(3)]
several = [
    (a, b)
    for a in range(3)
    for b in range(2)
]


class Holder:
    values = [n + 1 for n in range(4)]
    pairs = {n: [m for m in range(n)] for n in range(3)}
