"""Loops whose head and body share a line: every turn starts the line again."""


def f(k):
    return k


r = range(7)
for k in r: f(k)
x = 5
while x: x -= 1
for k in r: f(k); f(k)
while x < 4: x += 1; f(x)


def inside(n):
    while n: n -= 1
    for k in range(3): n += f(k)
    for k in range(3): pass
    return n


inside(6)
inside(0)
for a in range(2):
    for b in range(3): f(b)
