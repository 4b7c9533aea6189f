"""Class bodies, inheritance, properties, static and class methods, operators, slots."""


class Base:
    registry = []
    limit = 3

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        Base.registry.append(cls)

    def __init__(self, value):
        self._value = value

    @property
    def value(self):
        return self._value

    @value.setter
    def value(self, new):
        self._value = min(new, self.limit)

    @staticmethod
    def twice(n):
        return n * 2

    @classmethod
    def make(cls, n):
        return cls(cls.twice(n))

    def __add__(self, other):
        return type(self)(self.value + other.value)

    def __eq__(self, other):
        return self.value == other.value

    def __hash__(self):
        return hash(self.value)


class Child(Base):
    __slots__ = ()
    for limit in range(10, 13):
        pass

    class Nested:
        def method(self):
            return 1

    def __getattr__(self, name):
        return name

    def __add__(self, other):
        return super().__add__(other)


def local_class(n):
    class Local:
        field = n

        def get(self):
            return self.field

    return Local().get()


a = Base.make(1)
b = Child.make(2)
a.value = 9
c = a + a
d = b + b
b.value = b.value + 1
b.missing
{a, c, d}
Child.Nested().method()
[local_class(i) for i in range(3)]
a == c
