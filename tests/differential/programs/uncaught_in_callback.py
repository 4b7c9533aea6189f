"""Exceptions that cross C frames: from key functions, iterators and comparisons."""


class Stubborn:
    def __lt__(self, other):
        raise TypeError("no order")


def key(n):
    if n == 3:
        raise ValueError(n)
    return -n


def attempt(action):
    try:
        return action()
    except (TypeError, ValueError):
        return None


attempt(lambda: sorted([1, 2, 3, 4], key=key))
attempt(lambda: min(Stubborn(), Stubborn()))
attempt(lambda: list(map(key, range(5))))
attempt(lambda: sum(key(i) for i in range(5)))
attempt(lambda: "x".join(str(key(i)) for i in range(5)))
attempt(lambda: sorted([2, 1], key=key))
