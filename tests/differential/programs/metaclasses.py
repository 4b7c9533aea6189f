"""Metaclasses, descriptors, __prepare__, abstract classes, dynamic types."""
import abc


class Descriptor:
    def __set_name__(self, owner, name):
        self.name = "_" + name

    def __get__(self, instance, owner):
        if instance is None:
            return self
        return getattr(instance, self.name, 0)

    def __set__(self, instance, value):
        setattr(instance, self.name, value)


class Meta(type):
    @classmethod
    def __prepare__(mcs, name, bases, **kwargs):
        return {}

    def __new__(mcs, name, bases, namespace, **kwargs):
        return super().__new__(mcs, name, bases, namespace)

    def __init__(cls, name, bases, namespace, **kwargs):
        super().__init__(name, bases, namespace)

    def __call__(cls, *args):
        return super().__call__(*args)


class Thing(metaclass=Meta, option=1):
    field = Descriptor()

    def __init__(self, n):
        self.field = n
        self.field += 1


class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self):
        raise NotImplementedError


class Square(Shape):
    def __init__(self, side):
        self.side = side

    def area(self):
        return self.side ** 2


Dynamic = type("Dynamic", (Thing,), {"extra": lambda self: self.field})
Thing(1)
Thing.field
Dynamic(2).extra()
sum(Square(i).area() for i in range(3))
try:
    Shape()
except TypeError:
    pass
