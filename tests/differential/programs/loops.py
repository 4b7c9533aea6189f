"""for, while, else, break, continue, nested, empty ranges."""


def triangle(n):
    total = 0
    for i in range(n):
        for j in range(i):
            if j == 3:
                continue
            if j == 6:
                break
            total += i * j
        else:
            total -= 1
    else:
        total += 1000
    return total


def countdown(n):
    while n > 0:
        n -= 1
        if n % 2:
            continue
        n -= 1
    else:
        n = -1
    return n


for _ in range(0):
    triangle(9)
for size in (0, 1, 5, 9):
    triangle(size)
countdown(10)
