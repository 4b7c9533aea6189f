"""except*: split, re-raised, nested groups."""


def fail(n):
    raise ValueError(n) if n % 2 else TypeError(n)


def gather(count):
    errors = []
    for i in range(count):
        try:
            fail(i)
        except Exception as error:
            errors.append(error)
    raise ExceptionGroup("several", errors)


def handle(count):
    try:
        gather(count)
    except* ValueError as group:
        for error in group.exceptions:
            str(error)
    except* TypeError:
        count = 0
    finally:
        count += 1
    return count


handle(1)
handle(3)
try:
    try:
        gather(2)
    except* ValueError:
        raise KeyError("new")
except* (KeyError, TypeError):
    pass
