"""Nested functions, nonlocal, default arguments, partial application."""
from functools import partial, reduce


def counter(start):
    count = start

    def increment(by=1):
        nonlocal count
        count += by
        return count

    def reset():
        nonlocal count
        count = start

    return increment, reset


def compose(*functions):
    def composed(value):
        for function in functions:
            value = function(value)
        return value

    return composed


def adder(n):
    def add(m):
        def really():
            return n + m
        return really()
    return add


inc, reset = counter(5)
for step in range(4):
    inc(step)
reset()
compose(adder(1), adder(2), partial(pow, 2))(3)
reduce(lambda a, b: adder(a)(b), range(5))
fs = [lambda i=i: i for i in range(3)]
[f() for f in fs]
