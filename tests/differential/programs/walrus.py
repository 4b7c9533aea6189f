"""Assignment expressions."""


def produce(state=[3]):
    state[0] -= 1
    return state[0]


while (n := produce()) > -3:
    m = n
if (k := len("text")) > 3:
    k += 1
values = [y for x in range(5) if (y := x * 2) > 2]
total = (a := 1) + (b := 2) + (
    c := 3
)


def nested(limit):
    return [last := i for i in range(limit)], last


nested(3)
print((w := 5) and w, end="")
