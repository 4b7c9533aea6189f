"""Conditional and boolean expressions, on one line and over several; chained comparisons."""


def yes():
    return True


def no():
    return False


def pick(a, b):
    value = (
        yes()
        if a
        else no()
        if b
        else (
            yes() and
            no()
        )
    )
    other = a or b or no()
    between = 0 < a <= b < 10 and not no()
    chained = (
        a
        < b
        < a + b
        < 100
    )
    return value if chained else (other, between)


for a in range(3):
    for b in range(3):
        pick(a, b)
flag = (no() or
        no() or
        yes())
print if flag else None
x = [yes() if i % 2 else no() for i in range(4)]
if no() and yes():
    x = 1
elif no() or no():
    x = 2
elif yes():
    x = 3
else:
    x = 4
