"""Statements over several lines: calls, operators, literals, conditions, asserts."""


def f(*args, **kwargs):
    return len(args) + len(kwargs)


def g(n):
    return n


def spread(a, b):
    value = f(
        g(a),
        g(b),
        key=g(
            a + b
        ),
    )
    total = (
        g(1)
        + g(2)
        * g(3)
    )
    if (
        g(a)
        and g(b)
        or g(0)
    ):
        value += 1
    assert (
        value
    ), "never"
    table = {
        "one": g(1),
        "two": [
            g(2),
            g(3),
        ],
        **{
            "three": g(3)
        },
    }
    return (
        value,
        total,
        table,
    )


spread(1, 2)
spread(0, 0)
spread(
    1,
    0,
)
result = f(
    1,
    2
)
text = """a
b
c""".split()
x = 1 + \
    g(2) + \
    g(3)
while (
    x
    > 0
):
    x -= (
        2
    )
for item in (
    g(1),
    g(2),
):
    g(
        item
    )
(
    f()
)
f(g(1),
  g(2)
  ); f(
  g(3))
