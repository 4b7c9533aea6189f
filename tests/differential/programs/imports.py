"""Imports of local modules: a package, a cycle, a repeated and a failing import."""
import importlib

from helpers import shapes
from helpers.shapes import area
import helpers.cycle_a as cycle_a

area(2, 3)
shapes.describe([1, 2, 3])
cycle_a.first()


def lazily():
    from helpers import late

    return late.VALUE + late.compute(3)


lazily()
lazily()
importlib.reload(shapes)
shapes.area(1, 1)
try:
    import helpers.broken
except ValueError:
    pass
try:
    from helpers import nothing_here
except ImportError:
    pass
