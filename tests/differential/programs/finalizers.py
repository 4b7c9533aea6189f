"""__del__ and weakref callbacks: calls made by the interpreter itself."""
import weakref


class Noisy:
    alive = 0

    def __init__(self):
        Noisy.alive += 1

    def __del__(self):
        Noisy.alive -= 1


def gone(reference):
    Noisy.alive += 0


def scope():
    n = Noisy()
    m = Noisy()
    del n
    return 1


scope()
x = Noisy()
x = Noisy()
x = None
y = Noisy()
r = weakref.ref(y, gone)
del y
items = [Noisy() for _ in range(3)]
items.clear()


def failing():
    n = Noisy()
    raise ValueError


try:
    failing()
except ValueError:
    pass
