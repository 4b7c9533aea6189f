"""Star arguments, keyword-only, positional-only, unpacking in calls and literals."""


def everything(a, /, b, *args, c=3, **kwargs):
    return a + b + c + len(args) + len(kwargs)


def forward(*args, **kwargs):
    return everything(*args, **kwargs)


def pairs():
    yield 1
    yield 2


everything(1, 2)
forward(1, 2, 3, 4, c=5, d=6)
everything(*[1, 2], *pairs(), **{"c": 1}, **dict(z=1))
everything(
    *pairs(),
    *(
        n
        for n in pairs()
    ),
    c=everything(
        1,
        2,
    ),
)
[*pairs(), *pairs()]
{**dict(a=1), "b": everything(1, 1)}
first, *middle, last = [*range(5)]
(a, (b, *c)), d = (1, (2, 3, 4)), 5
try:
    everything(1)
except TypeError:
    pass
