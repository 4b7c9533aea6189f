"""Ends by SystemExit from deep inside, with atexit work and an open generator."""
import atexit
import sys


def goodbye(n):
    for _ in range(n):
        pass


def forever():
    try:
        while True:
            yield 1
    finally:
        goodbye(1)


def leave(n):
    if n == 0:
        sys.exit(0)
    leave(n - 1)


atexit.register(goodbye, 2)
g = forever()
next(g)
try:
    leave(3)
finally:
    goodbye(1)
