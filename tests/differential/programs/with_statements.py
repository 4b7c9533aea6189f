"""Context managers: classes, generators, several in one statement, swallowing, return inside."""
from contextlib import contextmanager


class Quiet:
    def __init__(self, swallow):
        self.swallow = swallow

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        return self.swallow


@contextmanager
def bracket(n):
    n += 1
    try:
        yield n
    finally:
        n -= 1


def use():
    with Quiet(True):
        raise ValueError
    with Quiet(False) as a, bracket(2) as b:
        total = b
    with bracket(3) as c:
        return total + c


def loop():
    for i in range(3):
        with Quiet(False):
            if i == 1:
                continue
            i += 1
    for i in range(3):
        with bracket(i):
            break


use()
loop()
with bracket(1): pass
try:
    with Quiet(False):
        with bracket(2):
            1 / 0
except ZeroDivisionError:
    pass
