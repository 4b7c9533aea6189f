"""Type parameters, type aliases, f-strings with nested quotes."""


def first[T](items: list[T]) -> T:
    return items[0]


class Box[T]:
    def __init__(self, item: T):
        self.item = item

    def get(self) -> T:
        return self.item


type Pair[A] = tuple[A, A]


def show(d):
    return f"{d["key"]} {
        first([1])
    }"


first([1, 2])
for n in range(2):
    Box(n).get()
show({"key": 1})
Pair.__value__
