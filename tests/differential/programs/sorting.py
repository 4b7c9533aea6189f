"""Callbacks from C: sort keys, comparison methods, cmp_to_key."""
from functools import cmp_to_key


class Item:
    def __init__(self, n):
        self.n = n

    def __lt__(self, other):
        return self.n < other.n


def key(n):
    return -n


def compare(a, b):
    return (a > b) - (a < b)


numbers = [5, 3, 8, 1, 9, 2]
sorted(numbers, key=key)
numbers.sort(key=lambda n: (n % 3, n))
max(numbers, key=key)
sorted(numbers, key=cmp_to_key(compare))
sorted([Item(n) for n in numbers])
sorted("banana", key=str.upper)
