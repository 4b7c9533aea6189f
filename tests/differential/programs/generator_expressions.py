"""Generator expressions on one line and over several."""


def double(n):
    return n * 2


total = sum(double(i) for i in range(6))
pairs = list((i, j) for i in range(3) for j in range(i))
longest = max(
    double(i)
    for i in range(5)
    if i % 2
)
lazy = (double(i) for i in range(100))
next(lazy)
next(lazy)
lazy.close()
any(i == 3 for i in range(100))
unused = (1 / 0 for i in range(3))


def scoped(limit):
    return all(i < limit for i in range(limit)), tuple(x for x in (y for y in range(4)))


scoped(5)
