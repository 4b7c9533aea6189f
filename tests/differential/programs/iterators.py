"""The iterator protocol in Python, reversed, __missing__, __call__, __getattr__."""


class Countdown:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        if self.n <= 0:
            raise StopIteration
        self.n -= 1
        return self.n


class Sequence:
    def __len__(self):
        return 3

    def __getitem__(self, index):
        if index >= 3:
            raise IndexError
        return index

    def __call__(self, n):
        return n

    def __bool__(self):
        return False


class Default(dict):
    def __missing__(self, key):
        self[key] = key
        return key


for n in Countdown(4):
    pass
list(Countdown(3))
a, b, c = Countdown(3)
2 in Countdown(5)
list(Sequence())
list(reversed(Sequence()))
s = Sequence()
s(1)
not s
d = Default()
[d[k] for k in (1, 2, 1)]
[x for x in Sequence()]
zip(*[Countdown(2), Countdown(3)])
list(zip(Countdown(2), Countdown(3)))
