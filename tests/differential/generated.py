"""Random programs that end by construction, as a hypothesis strategy.

Loops are short, functions call those defined before them (or themselves, counting down), and
each call spends from one budget: once that is used up, every call raises `Over`. Nothing in a
program depends on addresses, hashes, time or the garbage collector's mood, so each run of it
does the same. Whether its operations make sense does not matter: what raises, raises.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from hypothesis import strategies as st

T = TypeVar("T")

PRELUDE = """\
import asyncio, contextlib, functools, re, weakref
budget = 300
class Over(Exception):
    pass
class Known(Exception):
    pass
def spend():
    global budget
    budget -= 1
    if budget < 0:
        raise Over
class Manager:
    def __init__(self, swallow):
        self.swallow = swallow
    def __enter__(self):
        return self.swallow
    def __exit__(self, kind, value, traceback):
        return self.swallow > 1
    async def __aenter__(self):
        await Pause(self.swallow)
        return self.swallow
    async def __aexit__(self, kind, value, traceback):
        return self.swallow > 1
@contextlib.contextmanager
def managed(value):
    try:
        yield value
    finally:
        spend()
class Pause:
    def __init__(self, times):
        self.times = times
    def __await__(self):
        for _ in range(self.times):
            yield
        return self.times
class Dying:
    def __init__(self, last):
        self.last = last
    def __del__(self):
        try:
            self.last(1)
        except Exception:
            pass
class Point:
    __match_args__ = ("x", "y")
    def __init__(self, x, y):
        self.x = x
        self.y = y
    def __lt__(self, other): return self.x < other.x
    @property
    def sum(self):
        return self.x + self.y
def run(coroutine):
    try:
        while True:
            coroutine.send(None)
    except StopIteration as stop:
        return stop.value
def step(generator, how):
    try:
        if how == 0:
            return generator.send(None)
        elif how == 1: return generator.throw(Known)
        elif how == 2: return generator.throw(ValueError(3))
        generator.close()
    except (StopIteration, StopAsyncIteration, Known):
        return 0
def made(text, mode):
    return compile(text, "<generated>", mode)
def decorated(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper
"""

ERRORS = ["Known", "ValueError", "KeyError(1)", "Known('two')", "StopIteration", "Over"]
CAUGHT = ["Known", "ValueError", "(KeyError, ZeroDivisionError)", "Exception", "LookupError"]


@dataclass(frozen=True)
class Scope:
    """Where a statement stands: what it may hold."""

    kind: str  # module, class, function, generator, coroutine, asyncgen
    level: int = 0  # of nested blocks
    may_break: bool = False
    in_except: bool = False
    in_finally: bool = False
    star: bool = False  # in an except* block
    names: tuple[str, ...] = ("a", "b")

    @property
    def returns(self) -> bool:
        return self.kind not in {"module", "class"} and not self.star

    @property
    def is_async(self) -> bool:
        return self.kind in {"coroutine", "asyncgen"}

    @property
    def yields(self) -> bool:
        return self.kind in {"generator", "asyncgen"}

    def inside(self, **changes: Any) -> Scope:
        return replace(self, level=self.level + 1, **changes)


@dataclass
class Maker:
    """Writes one program; `draw` is hypothesis's."""

    draw: Callable[[Any], Any]
    lines: list[str] = field(default_factory=list)
    functions: dict[str, list[str]] = field(default_factory=dict)  # by kind, callable by now
    indent: int = 0
    serial: int = 0
    size: int = 0
    throws: bool = True

    # ---- Choices ----

    def number(self, low: int, high: int) -> int:
        drawn: int = self.draw(st.integers(low, high))
        return drawn

    def one_of(self, choices: Sequence[T]) -> T:
        return choices[self.number(0, len(choices) - 1)]

    def chance(self, percent: int) -> bool:
        return self.number(1, 100) > 100 - percent

    def fresh(self, stem: str) -> str:
        self.serial += 1
        return f"{stem}{self.serial}"

    # ---- Lines ----

    def put(self, text: str) -> None:
        self.lines.append("    " * self.indent + text)
        self.size += 1

    def block(self, head: str, scope: Scope, *, most: int = 3) -> None:
        """A compound statement; its body on the same line now and then."""
        if self.chance(12):
            self.put(f"{head} {'; '.join(self.simple(scope) for _ in range(self.number(1, 2)))}")
            return
        self.put(head)
        self.indent += 1
        self.body(scope.inside(), most)
        self.indent -= 1

    def body(self, scope: Scope, most: int) -> None:
        for _ in range(self.number(1, most)):
            self.statement(scope)

    # ---- Expressions ----

    def value(self, scope: Scope, depth: int = 0) -> str:
        makers: list[Callable[[Scope, int], str]] = [self.plain_value]
        if depth < 2:
            makers += [self.operation, self.call, self.call, self.condition, self.comprehension,
                       self.callback, self.spread, self.failing]  # fmt: skip
            if scope.yields and scope.kind == "generator":
                makers += [self.yielding]
            if scope.is_async:
                makers += [self.awaiting, self.awaiting]
        return self.one_of(makers)(scope, depth + 1)

    def plain_value(self, scope: Scope, depth: int) -> str:
        if self.chance(50):
            return str(self.number(0, 3))
        return self.one_of(scope.names)

    def operation(self, scope: Scope, depth: int) -> str:
        left, right = self.value(scope, depth), self.value(scope, depth)
        operator = self.one_of(["+", "-", "<", "and", "or", "==", "%"])
        return f"({left} {operator} {right})"

    def condition(self, scope: Scope, depth: int) -> str:
        parts = [self.value(scope, depth) for _ in range(3)]
        if self.chance(50):
            return f"({parts[0]} if {parts[1]} else {parts[2]})"
        return f"(not {parts[0]} or (z := {parts[1]}))" if scope.kind != "class" else parts[1]

    def failing(self, scope: Scope, depth: int) -> str:
        return self.one_of(["(1 // 0)", "{}[0]", "[].x", "nowhere", "int('x')"])

    def spread(self, scope: Scope, depth: int) -> str:
        """Over several lines: arguments, a list, an operation."""
        first, second = self.value(scope, depth), self.value(scope, depth)
        pad = "\n" + "    " * (self.indent + 2)
        return self.one_of([
            f"max({pad}{first},{pad}{second},{pad}key=str)",
            f"[{first},{pad}{second}][0]",
            f"({first}{pad}or {second})",
            f"f'{{str({scope.names[0]})}}{{1}}'",
        ])  # fmt: skip

    def known(self, kind: str) -> str | None:
        names = self.functions.get(kind)
        return self.one_of(names) if names else None

    def called(self, kind: str, scope: Scope, depth: int) -> str | None:
        name = self.known(kind)
        return None if name is None else f"{name}({self.value(scope, depth + 1)})"

    def call(self, scope: Scope, depth: int) -> str:
        kind = self.one_of(["function", "function", "generator", "coroutine", "class"])
        made = self.called(kind, scope, depth)
        if made is None:
            return f"str({self.value(scope, depth)})"
        if kind == "generator":
            used = ["list({})", "sum({})", "next({}, 0)", "[*{}]", "any({})",
                    "tuple(zip({}, [1, 2]))", "dict.fromkeys({})"]  # fmt: skip
            return self.one_of(used).format(made)
        if kind == "coroutine":
            return f"run({made})" if self.chance(90) else f"{made}.close()"
        if kind == "class":
            return f"{made}{self.one_of(['', '.method(1)', '.value', '.static(2)', '.made(1)'])}"
        return made

    def comprehension(self, scope: Scope, depth: int) -> str:
        item = self.value(replace(scope, kind="function" if scope.kind != "class" else "class",
                                  names=("x",)), depth)  # fmt: skip
        over = self.one_of(["range(2)", "(1, 2, 3)", "[]"])
        if (source := self.called("generator", scope, depth)) and self.chance(40):
            over = source
        tail = self.one_of(["", "", " if x", " for y in (1, 2)", " for y in range(x) if y"])
        pad = "\n" + "    " * (self.indent + 2) if self.chance(25) else " "
        item = item.replace(":=", "==")
        clauses = f"{pad}for x in {over}{tail}"
        return self.one_of([
            f"[{item}{clauses}]", f"len({{str({item}){clauses}}})", f"{{x: {item}{clauses}}}",
            f"sum({item}{clauses})", f"list({item}{clauses})", f"any({item}{clauses})",
            f"next(({item}{clauses}), 0)",
        ])  # fmt: skip

    def callback(self, scope: Scope, depth: int) -> str:
        """A Python function called by one in C."""
        function = self.known("function") or "str"
        if self.chance(40):
            function = f"lambda x: {self.value(Scope('function', names=('x',)), depth + 1)}"
        return self.one_of([
            "sorted([3, 1, 2], key={f})", "list(map({f}, (1, 2)))", "max(1, 2, key={f})",
            "[*filter({f}, [0, 1])]", "functools.reduce(lambda x, y: ({f})(x), [1, 2, 3])",
            "re.sub('.', lambda m: str(({f})(1)), 'ab')", "functools.partial({f}, 1)()",
            "functools.lru_cache({f})(2)", "min(Point(1, 2), Point(0, 1)).sum",
            "sorted([Point(2, 1), Point(1, 2), Point(0, 3)])[0].x", "decorated({f})(1)",
            "next(iter({f}, 1), 0)", "[1, 2].sort(key={f})",
        ]).replace("{f}", function)  # fmt: skip

    def yielding(self, scope: Scope, depth: int) -> str:
        source = self.called("generator", scope, depth)
        if source and self.chance(50):
            return f"(yield from {source})"
        return f"(yield {self.value(replace(scope, kind='function'), depth)})"

    def awaiting(self, scope: Scope, depth: int) -> str:
        made = self.called("coroutine", scope, depth)
        if made and self.chance(60):
            return f"(await {made})"
        source = self.called("asyncgen", scope, depth)
        if source and self.chance(60):
            return self.one_of(["[x async for x in {}]", "{{x async for x in {} if x}}",
                                "[y async for x in {} for y in (x, 1)]",
                                "(await {}.asend(None))"]).format(source)  # fmt: skip
        return f"(await Pause({self.number(0, 2)}))"

    # ---- Statements ----

    def simple(self, scope: Scope) -> str:
        """A statement of one line (or of one value over several)."""
        choices = ["assign", "assign", "value", "value", "augment", "pass", "assert", "delete"]
        if scope.level:
            choices += ["raise"]
        if scope.may_break:
            choices += ["break", "continue"]
        if scope.returns and scope.level and not scope.in_finally:
            choices += ["return"]
        if scope.yields:
            choices += ["yield", "yield"]
        return self.simple_of(self.one_of(choices), scope)

    def simple_of(self, choice: str, scope: Scope) -> str:
        if choice == "assign":
            return f"{self.one_of(scope.names)} = {self.value(scope)}"
        if choice == "augment":
            return f"{self.one_of(scope.names)} += {self.one_of(['1', self.call(scope, 1)])}"
        if choice == "delete":
            name = self.one_of(scope.names)
            return f"{name} = 1; del {name}; {name} = 2"
        if choice == "assert":
            return f"assert {self.value(scope)}, {self.value(scope)}"
        if choice == "raise":
            return self.raising(scope)
        if choice == "return":
            return "return" if scope.kind == "asyncgen" else f"return {self.value(scope)}"
        if choice == "yield":
            return f"yield {self.value(replace(scope, kind='function'))}"
        return choice if choice != "value" else self.value(scope)

    def raising(self, scope: Scope) -> str:
        if scope.in_except and self.chance(40):
            return "raise"
        error = self.one_of(ERRORS)
        if sys.version_info >= (3, 11) and self.chance(30):
            error = f"ExceptionGroup('g', [{error.split('(')[0]}(1), ValueError(2)])"
        if self.chance(30):
            return f"raise {error} from {self.one_of(['None', 'Known(9)', self.value(scope)])}"
        return f"raise {error}"

    def statement(self, scope: Scope) -> None:
        compound: list[Callable[[Scope], None]] = [
            self.if_, self.for_, self.while_, self.try_, self.try_, self.with_, self.match,
            self.driven, self.inner, self.dying, self.evaluated, self.class_, self.strange,
        ]  # fmt: skip
        if scope.is_async:
            compound += [self.async_for, self.async_with]
        if scope.level < 4 and self.size < 90 and self.chance(50):
            self.one_of(compound)(scope)
        else:
            self.put(self.simple(scope))

    def if_(self, scope: Scope) -> None:
        self.block(f"if {self.value(scope)}:", scope)
        if self.chance(30):
            self.block(f"elif {self.value(scope)}:", scope)
        if self.chance(40):
            self.block("else:", scope)

    def loop(self, head: str, scope: Scope) -> None:
        self.block(head, replace(scope, may_break=True))
        if self.chance(25):
            self.block("else:", scope)

    def for_(self, scope: Scope) -> None:
        over = self.called("generator", scope, 1) if self.chance(40) else None
        target = self.one_of(scope.names)
        self.loop(f"for {target} in {over or self.one_of(['range(3)', '(1, 2)', '[0]'])}:",
                  scope)  # fmt: skip

    def while_(self, scope: Scope) -> None:
        """Counts before anything else, so that `continue` can't keep it going."""
        counter = self.fresh("n")
        self.put(f"{counter} = {self.number(0, 3)}")
        test = f"({counter} := {counter} - 1) >= 0"
        if self.chance(30) and scope.kind != "class":
            self.put(f"while {test}: {self.simple(scope.inside(may_break=True))}")
            return
        self.loop(f"while {test}:" if self.chance(70) else f"while {test} and {self.value(scope)}:",
                  scope)  # fmt: skip

    def try_(self, scope: Scope) -> None:
        star = sys.version_info >= (3, 11) and self.chance(25)
        self.block("try:", scope)
        handlers = self.number(0, 2)
        inside = replace(scope, in_except=True)
        if star:
            inside = replace(inside, star=True, may_break=False)
        for _ in range(handlers):
            error = self.one_of(CAUGHT)
            name = " as e" if self.chance(40) else ""
            self.block(f"except{'*' if star else ''} {error}{name}:", inside)
        if handlers and not star and self.chance(20):
            self.block("except:", inside)
        if handlers and self.chance(25):
            self.block("else:", scope)
        if not handlers or self.chance(35):
            if self.chance(70):
                scope = replace(scope, in_finally=True, may_break=False)
            self.block("finally:", scope)

    def with_(self, scope: Scope) -> None:
        managers = [self.one_of([f"Manager({self.number(0, 2)})", "managed(1)",
                                 "contextlib.suppress(Known)"])
                    for _ in range(self.number(1, 2))]  # fmt: skip
        pad = ",\n" + "    " * (self.indent + 2) if self.chance(20) else ", "
        names = [f"{m} as {self.one_of(scope.names)}" for m in managers]
        if len(pad) > 2:
            self.block(f"with ({pad.join(names)}):", scope)
        else:
            self.block(f"with {pad.join(names)}:", scope)

    def async_for(self, scope: Scope) -> None:
        source = self.called("asyncgen", scope, 1)
        if source:
            self.loop(f"async for {self.one_of(scope.names)} in {source}:", scope)
        else:
            self.put(f"await Pause({self.number(0, 1)})")

    def async_with(self, scope: Scope) -> None:
        self.block(f"async with Manager({self.number(0, 2)}) as {self.one_of(scope.names)}:", scope)

    def match(self, scope: Scope) -> None:
        subject = self.one_of([self.value(scope), "Point(1, 2)", "[1, 2, 3]", "{'k': 1}"])
        self.put(f"match {subject}:")
        self.indent += 1
        for pattern in (self.one_of(["0", "1 | 2", "Point(x=1)", "Point(1, y)", "[1, *rest]",
                                     "{'k': v}", "str()", "x if x"])
                        for _ in range(self.number(1, 3))):  # fmt: skip
            self.block(f"case {pattern}:", scope, most=2)
        if self.chance(40):
            self.block("case _:", scope, most=2)
        self.indent -= 1

    def driven(self, scope: Scope) -> None:
        """A generator or coroutine by hand: sent to, thrown into, closed, dropped half-way."""
        source = self.called(self.one_of(["generator", "coroutine"]), scope, 1)
        if not source:
            self.put("pass")
            return
        name = self.fresh("g")
        self.put(f"{name} = {source}")
        self.put(f"step({name}, 0)")
        for _ in range(self.number(0, 3)):
            hows = range(4) if self.throws else (0, 3)
            self.put(self.one_of([f"step({name}, {self.one_of(hows)})",
                                  f"step({name}, 0); step({name}, 0)"]))  # fmt: skip
        self.put(self.one_of([f"{name}.close()", f"del {name}", f"{name} = None"]))

    def dying(self, scope: Scope) -> None:
        function = self.known("function") or "str"
        name = self.fresh("d")
        self.put(f"{name} = Dying({function})")
        if self.chance(40):
            self.put(f"w{name} = weakref.ref({name}, {function})")
        if self.chance(50):
            self.statement(scope.inside())
        self.put(self.one_of([f"del {name}", f"{name} = 1", f"{name} = {self.value(scope)}"]))

    def evaluated(self, scope: Scope) -> None:
        if scope.kind == "class" or self.chance(50):
            text = self.value(Scope("module"))
            self.put(f"eval(made({text!r}, 'eval'), dict(globals(), a=1, b=2))")
            return
        inner = Maker(self.draw, functions={}, size=80)
        inner.body(Scope("module", level=2), 3)
        text = "\n".join(inner.lines) + "\n"
        self.put(f"exec(made({text!r}, 'exec'), dict(globals(), a=1, b=2))")

    def strange(self, scope: Scope) -> None:
        """Shapes that compilers treat in their own ways."""
        name = self.one_of(scope.names)
        self.put(self.one_of([
            f"while 0: {name} = 1",
            "while True: break",
            f"if 0: {name} = 1",
            f"if 1: {name} = 1",
            f"for {name} in []: pass",
            f"for {name} in (1, 2, 3): pass",
            f"for {name} in range(3): {name}; {name}",
            f"try: {name} = 1\n" + "    " * self.indent + f"finally: {name} = 2",
            "while True:\n" + "    " * (self.indent + 1) + f"if {name}: break\n"
            + "    " * (self.indent + 1) + "break",
            "with Manager(1): pass",
            f"with Manager(2): {name} = 1 // 0",
            f"({name}) = \\\n" + "    " * (self.indent + 1) + "1",
            "assert (\n" + "    " * (self.indent + 1) + "True)",
            f"{name}: int = 1" if scope.kind != "module" else f"{name} = 1",
            "...", "'text'", "None", f"{name}, *_ = 1, 2",
        ]))  # fmt: skip

    def inner(self, scope: Scope) -> None:
        """A nested function or lambda, called at once; its name is the scope's own."""
        kept = {kind: list(names) for kind, names in self.functions.items()}
        name = self.fresh("i")
        if self.chance(40):
            self.put(f"{name} = lambda x=1: {self.value(Scope('function', names=('x',)), 1)}")
            self.put(f"{name}({self.plain_value(scope, 9)})")
        else:
            kind = self.one_of(["function", "generator"])
            self.define(name, kind, most=2, level=2)
            self.put(f"{name}(1)" if kind == "function" else f"list({name}(2))")
        self.functions = kept

    def class_(self, scope: Scope) -> None:
        self.class_body(self.fresh("C"), scope.level + 1)

    # ---- Definitions ----

    def class_body(self, name: str, level: int) -> None:
        base = self.one_of(["", "(Point)", "(metaclass=type)"])
        self.put(f"class {name}{base}:")
        self.indent += 1
        self.put("a = b = 1")
        for _ in range(self.number(0, 2)):
            self.statement(Scope("class", level=max(level, 3)))
        self.put("def __init__(self, a):")
        self.put("    self.a = a; self.b = 1")
        for head, kind in (("def method(self, a, b=1):", ""), ("def value(self):", "property"),
                           ("def static(a, b=2):", "staticmethod"),
                           ("def made(cls, a, b=2):", "classmethod")):  # fmt: skip
            if self.chance(40):
                if kind:
                    self.put(f"@{kind}")
                self.block(head, Scope("function", level=2, names=("a",)
                                       if kind != "property" else ("self",)), most=2)  # fmt: skip
        self.indent -= 1

    def define(self, name: str, kind: str, *, most: int, level: int = 0) -> None:
        word = "async def" if kind in {"coroutine", "asyncgen"} else "def"
        for _ in range(self.number(0, 1) if kind == "function" and self.chance(30) else 0):
            self.put(self.one_of(["@decorated", "@functools.lru_cache(None)"]))
        scope = Scope(kind, level=level)
        if self.chance(10) and kind == "function":
            self.put(f"def {name}(a, b=1): return {self.value(scope)}")
            return
        head = f"{word} {name}(a, b=1, *c):"
        if self.chance(10):
            head = (
                f"{word} {name}(\n"
                + "    " * (self.indent + 2)
                + "a,\n"
                + ("    " * (self.indent + 2) + "b=str(1)):")
            )
        self.put(head)
        self.indent += 1
        self.put("spend()")
        if kind == "function" and self.chance(20):
            self.put("if a and a < 4 and isinstance(a, int):")
            self.put(f"    return {name}(a - 1)")
        if scope.yields and self.chance(70):
            self.put("yield a")
        self.body(scope, most)
        if scope.yields:
            self.put("yield 1")
        self.indent -= 1

    def function(self) -> None:
        kind = self.one_of(["function", "function", "generator", "coroutine", "asyncgen", "class"])
        name = self.fresh({"class": "K"}.get(kind, "f"))
        if kind == "class":
            self.class_body(name, 2)
        else:
            self.define(name, kind, most=5)
        self.functions.setdefault(kind, []).append(name)

    def main(self) -> None:
        """Statements of the module, each guarded, so that one failure doesn't end all."""
        self.put("a = b = z = 1")
        for _ in range(self.number(1, 5)):
            self.put("try:")
            self.indent += 1
            self.body(Scope("module", level=1), 3)
            self.indent -= 1
            self.put("except Exception: pass")
        for name in self.functions.get("coroutine", [])[:2]:
            self.put(f"try: asyncio.run({name}(1))")
            self.put("except Exception: pass")
        for name in self.functions.get("function", [])[-1:]:
            self.put(f"try: {name}(2)")
            self.put("finally: b = 3")


@st.composite
def programs(draw: Callable[[Any], Any], *, throws: bool = True) -> str:
    """The text of a program; without `throws` its own code throws nothing into generators."""
    maker = Maker(draw, throws=throws)
    for _ in range(maker.number(1, 6)):
        maker.size = 0
        maker.function()
    maker.size = 0
    maker.main()
    return PRELUDE + "\n".join(maker.lines) + "\n"
