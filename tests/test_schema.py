"""What programs are given as JSON is what docs/schema/ says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from doors import Door

TOP = Path(__file__).parent.parent
GOLDEN = TOP / "tests" / "golden"
READABLE = [
    path for path in sorted(GOLDEN.glob("perl/*.out")) if path.stat().st_size < 200_000
]  # fmt: skip


def schema_of(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((TOP / "docs/schema" / f"{name}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return schema


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("summary", ["summary", "--json", "-n", "50"]),
        ("tree", ["tree", "--json", "--min", "0"]),
        ("profile", ["convert", "--to", "json"]),
    ],
)
def test_every_profile_keeps_to_the_schema(name: str, words: list[str], nytprof: Door) -> None:
    validator = jsonschema.Draft202012Validator(schema_of(name))
    told = 0
    for path in READABLE:
        done = nytprof.run(*words, path)
        if name == "tree" and done.returncode == 4:
            continue  # it has none
        assert done.returncode == 0, done.stderr
        made = json.loads(done.stdout)
        faults = [error.message for error in validator.iter_errors(made)]
        assert faults == [], path
        told += 1
    assert told > 10


@pytest.mark.parametrize("name", ["summary", "tree", "profile"])
def test_the_schema_refuses_what_is_none(name: str) -> None:
    validator = jsonschema.Draft202012Validator(schema_of(name))
    assert list(validator.iter_errors({}))
    assert list(validator.iter_errors([]))


def test_no_member_is_unknown_to_the_schema(nytprof: Door) -> None:
    """What is published is all that there is."""
    done = nytprof.run("summary", "--json", GOLDEN / "perl" / "packages.out")
    schema = schema_of("summary")
    made = json.loads(done.stdout)
    assert set(made) == set(schema["properties"])
    for key in ("hot_lines", "top_lines", "top_subs", "top_files"):
        item = schema["properties"][key]["items"]
        assert set(made[key][0]) == set(item["required"]), key
        assert set(item["properties"]) - {"shared"} == set(item["required"]), key
    assert set(made["top_calls"][0]) == set(schema["$defs"]["call"]["properties"])
