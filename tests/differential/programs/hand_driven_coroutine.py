"""Coroutines stepped by hand, without an event loop."""


class Suspend:
    def __await__(self):
        got = yield self
        return got


async def inner(n):
    a = await Suspend()
    b = await Suspend()
    return a + b + n


async def outer():
    x = await inner(1)
    try:
        y = await inner(2)
    except ValueError:
        y = 0
    return x + y


c = outer()
c.send(None)
c.send(10)
c.send(20)
c.send(1)
try:
    c.throw(ValueError("stop"))
except StopIteration as done:
    result = done.value
c = outer()
c.send(None)
c.close()
never = outer()
never.close()
