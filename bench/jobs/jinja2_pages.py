"""Jinja2: 40 templates compiled, 600 pages rendered."""

from jinja2 import DictLoader, Environment

BASE = """<html><title>{% block title %}{% endblock %}</title>
{% macro cell(value, bold=false) %}<td>{% if bold %}<b>{{ value }}</b>{% else %}{{ value }}{% endif %}</td>{% endmacro %}
{% block body %}{% endblock %}</html>"""
PAGE = """{% extends "base" %}{% block title %}Page PAGE of {{ total }}{% endblock %}
{% block body %}<table>{% for row in rows if row.shown %}<tr>{{ cell(loop.index) }}
{{ cell(row.name | upper, row.dear) }}{{ cell("%.2f" | format(row.price)) }}{{ cell(row.tags | join(", ")) }}</tr>
{% else %}<p>nothing</p>{% endfor %}</table>{% endblock %}"""


def main() -> None:
    templates = {f"page{i}": PAGE.replace("PAGE", str(i)) for i in range(40)}
    templates["base"] = BASE
    environment = Environment(loader=DictLoader(templates), autoescape=True)
    rows = [
        {
            "name": f"<item {i}>",
            "shown": i % 3,
            "dear": i % 5 == 0,
            "price": i / 7,
            "tags": ["a", "b"],
        }
        for i in range(30)
    ]
    size = 0
    for i in range(600):
        size += len(environment.get_template(f"page{i % 40}").render(rows=rows, total=40))
    print(size)


if __name__ == "__main__":
    main()
