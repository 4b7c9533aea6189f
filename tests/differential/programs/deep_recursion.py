"""A call stack some hundreds of frames deep, left by return and by exception."""


def down(n):
    if n == 0:
        return 0
    return 1 + down(n - 1)


def fall(n):
    if n == 0:
        raise ValueError
    fall(n - 1)


down(400)
try:
    fall(400)
except ValueError:
    pass
