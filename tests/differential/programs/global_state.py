"""global, nested scopes, default arguments evaluated once, conditional definitions."""

count = 0
log = []


def bump():
    global count
    count += 1
    return count


def remember(item, seen=log):
    seen.append(item)
    return len(seen)


if bump() > 0:
    def chosen():
        return "first"
else:
    def chosen():
        return "second"


def redefined():
    return 1


redefined()


def redefined():
    return 2


redefined()
for i in range(3):
    def in_loop(n=bump()):
        return n
    in_loop()
    remember(chosen())


def default(
    a=bump(),
    b=[remember(i) for i in range(2)],
    *,
    c=lambda: bump(),
):
    return a, b, c()


default()
