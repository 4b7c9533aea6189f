"""Words near to one that nobody wrote."""

from __future__ import annotations

import heapq
from collections.abc import Iterable


def distance(a: str, b: str) -> int:
    """Insertions, deletions and replacements from one word to the other."""
    previous = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        current = [i]
        for j, y in enumerate(b, 1):
            change = previous[j - 1] + (x != y)
            current.append(min(change, previous[j] + 1, current[-1] + 1))
        previous = current
    return previous[-1]


class Suggester:
    def __init__(self, words: Iterable[str]) -> None:
        self.words = sorted(words)

    def nearest(self, word: str, count: int = 3) -> list[str]:
        similar = (w for w in self.words if abs(len(w) - len(word)) < 3 and w[0] == word[0])
        return heapq.nsmallest(count, similar, key=lambda w: distance(w, word))
