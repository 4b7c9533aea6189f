"""Comprehensions that call, recurse, raise, and close over loop variables."""


def tree(n):
    return [tree(i) for i in range(n)]


def risky(n):
    return [10 // (i - 2) for i in range(n)]


def closures(n):
    return [f() for f in [lambda k=k: [k for _ in range(k)] for k in range(n)]]


def lines(n):
    return [
        [
            i
            * j
            for i in range(n)
        ]
        for j in range(n)
    ]


tree(4)
try:
    risky(5)
except ZeroDivisionError:
    pass
closures(3)
lines(3)
{k: {v for v in range(k)} for k in range(3)}; [i for i in range(2)]
