"""A small search engine for Python source: indexes a folder and answers questions about it.

    python examples/searchindex FOLDER [--limit N] QUESTION...

A question is words joined by AND (or nothing), OR, NOT and parentheses; `name:word` looks in
the names of functions and classes alone.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from documents import Document, find_documents
from index import Index
from outline import outline
from query import QuestionError, parse
from rank import rank
from suggest import Suggester


def build(folder: Path, limit: int) -> Index:
    index = Index()
    for document in find_documents(folder, limit):
        index.add(document)
    return index


def describe(document: Document) -> str:
    definitions = list(outline(document.tree))
    deepest = max((d.depth for d in definitions), default=0)
    return f"{document.name}: {len(definitions)} definitions, nested {deepest} deep"


def answer(index: Index, suggester: Suggester, text: str, show: int = 5) -> None:
    print(f"? {text}")
    try:
        question = parse(text)
    except QuestionError as error:
        print(f"  {error}")
        return
    found = question.evaluate(index)
    words = question.words()
    for number, score in rank(index, words, found)[:show]:
        print(f"  {score:6.2f}  {describe(index.documents[number])}")
    for word in words:
        if not index.knows(word):
            print(f"  no {word!r}; perhaps {', '.join(suggester.nearest(word))}")


def main() -> int:
    parser = argparse.ArgumentParser(description="search Python source")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int, default=200, help="files to read at most")
    parser.add_argument("questions", nargs="+")
    options = parser.parse_args()

    index = build(options.folder, options.limit)
    print(f"{len(index.documents)} files, {index.distinct_words()} words")
    suggester = Suggester(index.all_words())
    for question in options.questions:
        answer(index, suggester, question)
    return 0


if __name__ == "__main__":
    sys.exit(main())
