"""f-strings over several lines with calls and specifications inside."""


class Money:
    def __init__(self, amount):
        self.amount = amount

    def __format__(self, spec):
        return format(self.amount, spec or "d")

    def __repr__(self):
        return f"Money({self.amount!r})"


def name(n):
    return "n" * n


def show(n):
    return (
        f"{name(n)}: "
        f"{Money(n):>{n + 2}} "
        f"{Money(n)!r:_^20}"
    )


for i in range(3):
    show(i)
text = f"""
{name(1)}
plain
{name(2)} {Money(4)}
"""
"%s and %r" % (Money(1), Money(2))
"{0} {0!r:>10}".format(name(1))
