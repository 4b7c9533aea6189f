"""Functions of a local module."""


def area(width, height):
    return width * height


def describe(sizes):
    return [area(s, s) for s in sizes]


UNIT = area(1, 1)
