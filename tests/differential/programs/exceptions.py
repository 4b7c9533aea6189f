"""Raised, caught, chained, re-raised, swallowed by finally."""


class Odd(Exception):
    def __init__(self, n):
        super().__init__(n)
        self.n = n


def check(n):
    if n % 2:
        raise Odd(n)
    return n


def deep(n, level):
    if level == 0:
        return check(n)
    return deep(n, level - 1)


def handle(n):
    try:
        return deep(n, 3)
    except ZeroDivisionError:
        return None
    except Odd as error:
        if error.n == 3:
            raise
        return -error.n
    else:
        return 0
    finally:
        check(0)


def swallow():
    try:
        check(1)
    finally:
        return 5


def chained():
    try:
        check(7)
    except Odd as error:
        raise ValueError("chained") from error


for i in range(6):
    try:
        handle(i)
    except Odd:
        pass
swallow()
try:
    chained()
except ValueError as e:
    cause = e.__cause__
try:
    int("x")
except (TypeError, ValueError):
    pass
try:
    [check(i) for i in range(3)]
except Odd:
    pass
