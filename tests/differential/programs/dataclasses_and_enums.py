"""Standard classes that generate code."""
import enum
from dataclasses import dataclass, field


class Colour(enum.Enum):
    RED = 1
    GREEN = 2

    @property
    def label(self):
        return self.name.lower()


@dataclass(order=True)
class Item:
    price: int
    name: str = "x"
    tags: list = field(default_factory=list)

    def __post_init__(self):
        self.price *= 2


items = [Item(n) for n in (3, 1, 2)]
sorted(items)
items[0] == items[1]
repr(items[0])
[c.label for c in Colour]
Colour(2)
Colour["RED"]
