"""Code from strings: exec, eval, compile, definitions made inside, in loops."""

SOURCE = """
def made(n):
    total = 0
    for i in range(n):
        total += i
    return total

result = made(4)
"""

namespace = {}
exec(SOURCE, namespace)
namespace["made"](6)
for i in range(3):
    eval("i + 1")
    exec("y = i\nz = y * 2")
code = compile("a = 1\nb = [a + n for n in range(3)]\n", "<made here>", "exec")
exec(code)
exec(code)


def evaluate(text, **names):
    return eval(text, {}, names)


evaluate("x * y", x=2, y=3)
evaluate("[k for k in range(n)]", n=4)
exec("def inner():\n    return eval('1 + 1')\ninner()", {})
f = eval("lambda n: n + 1")
f(1)
f(2)
try:
    exec("1 / 0")
except ZeroDivisionError:
    pass
