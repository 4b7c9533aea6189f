"""try inside loops with break, continue and finally between them."""


def risky(n):
    if n % 3 == 0:
        raise KeyError(n)
    return n


def scan(limit):
    seen = []
    for i in range(limit):
        try:
            value = risky(i)
        except KeyError:
            continue
        finally:
            seen.append(i)
        if value > 6:
            break
    else:
        seen.append(-1)
    return seen


def retry():
    attempts = 0
    while True:
        try:
            attempts += 1
            risky(attempts * 3 if attempts < 4 else 1)
        except KeyError:
            continue
        else:
            break
        finally:
            attempts += 0
    return attempts


scan(4)
scan(20)
retry()
for i in range(3):
    try: risky(i)
    except KeyError: pass
