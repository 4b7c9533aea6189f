"""Questions: a recursive-descent parser and the tree that it makes.

either := both ("OR" both)*
both   := atom ("AND"? atom)*
atom   := "NOT" atom | "(" either ")" | word | "name:" word
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

from documents import stem
from index import Index


class QuestionError(ValueError):
    """The question can't be understood; says where."""


class Node(ABC):
    def __init__(self, *parts: Node) -> None:
        self.parts = parts

    @abstractmethod
    def evaluate(self, index: Index) -> set[int]:
        """The numbers of the documents that fit."""

    def words(self) -> list[str]:
        return [word for part in self.parts for word in part.words()]


class Word(Node):
    def __init__(self, word: str) -> None:
        super().__init__()
        self.word = stem(word.lower())

    def evaluate(self, index: Index) -> set[int]:
        return index.containing(self.word)

    def words(self) -> list[str]:
        return [self.word]


class Name(Word):
    def evaluate(self, index: Index) -> set[int]:
        return index.defining(self.word)


class Both(Node):
    def evaluate(self, index: Index) -> set[int]:
        return set.intersection(*(part.evaluate(index) for part in self.parts))


class Either(Node):
    def evaluate(self, index: Index) -> set[int]:
        return set.union(*(part.evaluate(index) for part in self.parts))


class Not(Node):
    def evaluate(self, index: Index) -> set[int]:
        return index.everything() - self.parts[0].evaluate(index)

    def words(self) -> list[str]:
        return []


class Parser:
    def __init__(self, text: str) -> None:
        self.tokens = re.findall(r"[()]|[^\s()]+", text)
        self.position = 0

    def peek(self) -> str | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def take(self) -> str:
        token = self.peek()
        if token is None:
            raise QuestionError("the question ends too early")
        self.position += 1
        return token

    def either(self) -> Node:
        parts = [self.both()]
        while self.peek() == "OR":
            self.take()
            parts.append(self.both())
        return parts[0] if len(parts) == 1 else Either(*parts)

    def both(self) -> Node:
        parts = [self.atom()]
        while (token := self.peek()) not in (None, "OR", ")"):
            if token == "AND":
                self.take()
            parts.append(self.atom())
        return parts[0] if len(parts) == 1 else Both(*parts)

    def atom(self) -> Node:
        token = self.take()
        if token == "NOT":
            return Not(self.atom())
        if token == "(":
            inside = self.either()
            if self.take() != ")":
                raise QuestionError("a parenthesis is not closed")
            return inside
        if token in (")", "AND", "OR"):
            raise QuestionError(f"{token} is not expected at word {self.position}")
        if token.startswith("name:"):
            return Name(token.removeprefix("name:"))
        return Word(token)


def parse(text: str) -> Node:
    parser = Parser(text)
    question = parser.either()
    if parser.peek() is not None:
        raise QuestionError(f"{parser.peek()} is not expected at the end")
    return question
