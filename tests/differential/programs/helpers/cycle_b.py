from . import cycle_a


def second(n):
    return cycle_a.third(n)
