from . import cycle_b


def first():
    return cycle_b.second(2)


def third(n):
    return n
