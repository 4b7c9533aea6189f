"""del of names, items, attributes, slices; __delitem__ and friends."""


class Box:
    def __init__(self):
        self.items = dict(a=1, b=2, c=3)
        self.attribute = 1

    def __getitem__(self, key):
        return self.items[key]

    def __setitem__(self, key, value):
        self.items[key] = value

    def __delitem__(self, key):
        del self.items[key]

    def __delattr__(self, name):
        object.__delattr__(self, name)

    def __contains__(self, key):
        return key in self.items

    def __len__(self):
        return len(self.items)

    def __iter__(self):
        return iter(self.items)


box = Box()
box["d"] = box["a"]
del box["a"], box["b"]
del box.attribute
"c" in box
if box:
    x = list(box)
del x
numbers = list(range(10))
del numbers[::2]
del (
    numbers[0],
    numbers[-1],
)


def local():
    a = b = 1
    del a, b
    try:
        return a
    except UnboundLocalError:
        return None


local()
