"""Generators exhausted, closed, thrown into, sent to, abandoned, and never started."""


def numbers(n):
    for i in range(n):
        yield i


def guarded():
    try:
        received = yield 1
        while True:
            received = yield received
    except ValueError:
        yield -1
    finally:
        numbers(0)


def consume():
    total = 0
    for n in numbers(5):
        total += n
    return total + sum(numbers(4))


def drive():
    g = guarded()
    next(g)
    g.send(3)
    g.send(4)
    g.throw(ValueError("stop"))
    g.close()
    g = guarded()
    next(g)
    g.close()
    g = guarded()
    try:
        g.throw(KeyError("before the start"))
    except KeyError:
        pass
    g = guarded()
    next(g)
    try:
        g.throw(KeyError("not caught"))
    except KeyError:
        pass
    numbers(10)
    g = numbers(10)
    next(g)
    del g


consume()
drive()
list(numbers(3))
first, *rest = numbers(4)
