"""Delegation: to generators, to iterables, recursive, with sent values and exceptions."""


def leaf(n):
    got = yield n
    while got:
        got = yield got
    return n * 10


def branch(n):
    result = yield from leaf(n)
    yield from [1, 2]
    yield from range(2)
    return result


def walk(tree):
    if isinstance(tree, list):
        for item in tree:
            yield from walk(item)
    else:
        yield tree


def catching():
    try:
        yield from leaf(7)
    except ValueError:
        yield 0


list(branch(3))
g = branch(4)
next(g)
g.send(5)
g.send(6)
list(g)
list(walk([1, [2, [3, []], 4], 5]))
g = catching()
next(g)
g.throw(ValueError())
g.close()
g = branch(1)
next(g)
g.close()
