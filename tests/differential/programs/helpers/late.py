"""Imported inside a function."""
VALUE = 1


def compute(n):
    return sum(i for i in range(n))
