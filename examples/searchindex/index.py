"""An inverted index: which document holds which word how often."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator

from documents import Document

Postings = dict[int, int]


class Index:
    def __init__(self) -> None:
        self.documents: list[Document] = []
        self.lengths: list[int] = []
        self._words: defaultdict[str, Postings] = defaultdict(dict)
        self._names: defaultdict[str, Postings] = defaultdict(dict)

    def add(self, document: Document) -> None:
        number = len(self.documents)
        self.documents.append(document)
        self.lengths.append(enter(self._words, number, document.words()))
        enter(self._names, number, document.defined_names())

    def postings(self, word: str) -> Postings:
        return self._words.get(word, {})

    def containing(self, word: str) -> set[int]:
        return set(self._words.get(word, ()))

    def defining(self, name: str) -> set[int]:
        return set(self._names.get(name, ()))

    def everything(self) -> set[int]:
        return set(range(len(self.documents)))

    def knows(self, word: str) -> bool:
        return word in self._words

    def distinct_words(self) -> int:
        return len(self._words)

    def all_words(self) -> Iterator[str]:
        return iter(self._words)


def enter(table: defaultdict[str, Postings], number: int, words: Iterable[str]) -> int:
    """Counts the words into the table; how many there were."""
    counts = Counter(words)
    for word, count in counts.items():
        table[word][number] = count
    return sum(counts.values())
