"""Lazy iterators with Python callbacks."""
import itertools


def double(n):
    return n * 2


def odd(n):
    return n % 2


list(map(double, range(5)))
list(filter(odd, map(double, range(4))))
for value in map(double, filter(odd, range(8))):
    odd(value)
list(itertools.takewhile(lambda n: n < 4, itertools.count()))
list(itertools.accumulate(range(5), lambda a, b: a + b))
dict(zip(map(str, range(3)), map(double, itertools.repeat(2, 3))))
list(itertools.groupby(range(6), key=odd))
lazy = map(double, range(100))
next(lazy)
list(iter(iter([1, 2, 0, 3]).__next__, 0))
