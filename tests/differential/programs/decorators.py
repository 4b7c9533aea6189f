"""Decorators: plain, with arguments, stacked, classes, functools."""
import functools


def plain(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        return f(*args, **kwargs)

    return wrapper


def times(n):
    def decorate(f):
        def repeat(*args):
            for _ in range(n):
                result = f(*args)
            return result

        return repeat

    return decorate


class Counting:
    def __init__(self, f):
        self.f = f
        self.calls = 0

    def __call__(self, *args):
        self.calls += 1
        return self.f(*args)


@plain
@times(3)
def stacked(n):
    return n + 1


@Counting
def counted(n):
    return n


@functools.lru_cache(maxsize=None)
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


@plain
@plain
@plain
def deep(
    a,
    b=2,
):
    return a + b


stacked(1)
for i in range(4):
    counted(i)
fib(15)
deep(1)
