"""What runs while the profiler, its neighbour or both are at work."""

import threading


def count(n):
    total = 0
    for i in range(n):
        if i % 3 == 0:
            total += len(str(i))
        else:
            total -= i
    return total


def numbers(n):
    for i in range(n):
        yield i


def fail(n):
    if n:
        raise ValueError(n)
    return n


def catch():
    caught = 0
    for n in range(4):
        try:
            fail(n % 2)
        except ValueError:
            caught += 1
        finally:
            caught += 0
    return caught


def deep(n):
    return n if n == 0 else deep(n - 1)


class Thing:
    def __init__(self, n):
        self.n = n

    @property
    def double(self):
        return self.n * 2


def once():
    count(10)
    list(numbers(5))
    half = numbers(5)
    next(half)
    half.close()
    catch()
    deep(5)
    sorted([Thing(3), Thing(1)], key=lambda thing: thing.double)
    exec("x = 1\ny = 2\n", {})


def first():
    once()


def work():
    once()
    threads = [threading.Thread(target=once) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    once()


def last():
    once()
