"""How well a document fits: Okapi BM25."""

from __future__ import annotations

import math

from index import Index

SATURATION = 1.2
LENGTH_WEIGHT = 0.75


def rarity(index: Index, word: str) -> float:
    having = len(index.postings(word))
    return math.log(1 + (len(index.documents) - having + 0.5) / (having + 0.5))


def score(index: Index, words: list[str], number: int, mean_length: float) -> float:
    relative = index.lengths[number] / mean_length
    damping = SATURATION * (1 - LENGTH_WEIGHT + LENGTH_WEIGHT * relative)
    total = 0.0
    for word in words:
        count = index.postings(word).get(number, 0)
        total += rarity(index, word) * count * (SATURATION + 1) / (count + damping)
    return total


def rank(index: Index, words: list[str], found: set[int]) -> list[tuple[int, float]]:
    """The documents found with their scores, the best first."""
    mean_length = sum(index.lengths) / max(1, len(index.lengths)) or 1.0
    scored = [(number, score(index, words, number, mean_length)) for number in found]
    return sorted(scored, key=lambda pair: (-pair[1], pair[0]))
