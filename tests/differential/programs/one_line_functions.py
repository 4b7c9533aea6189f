"""Functions, lambdas and classes that begin and end on one line."""


def one(n): return n + 1
def two(n): m = n; return m
class Empty: pass
class Small: x = 1; y = [i for i in range(2)]
def gen(): yield 1; yield 2


f = lambda n: n * 2
g = lambda n: (lambda m: m + n)(n)
h = lambda: (yield 1)
for i in range(3): one(i); two(i)
[f(i) for i in range(4)]
g(1); g(2)
list(gen())
list(h())
(lambda: None)()
table = {"a": lambda: 1, "b": lambda: 2}
[table[k]() for k in table]
sorted([3, 1, 2], key=lambda n: -n)
if True: one(1); two(2)
def outer():
    def inner(n): return n
    return inner(1) + inner(2)
outer()
