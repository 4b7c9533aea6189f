"""Direct and mutual recursion, through C functions too."""


def factorial(n):
    if n < 2:
        return 1
    return n * factorial(n - 1)


def is_even(n):
    return True if n == 0 else is_odd(n - 1)


def is_odd(n):
    return False if n == 0 else is_even(n - 1)


def ackermann(m, n):
    if m == 0:
        return n + 1
    if n == 0:
        return ackermann(m - 1, 1)
    return ackermann(m - 1, ackermann(m, n - 1))


def depth(tree):
    return 1 + max(map(depth, tree), default=0)


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def permutations(items):
    if not items:
        yield []
    for i, item in enumerate(items):
        for rest in permutations(items[:i] + items[i + 1:]):
            yield [item] + rest


factorial(12)
is_even(9)
ackermann(2, 3)
depth([[], [[]], [[[]], []]])
fib(10)
list(permutations([1, 2, 3]))
