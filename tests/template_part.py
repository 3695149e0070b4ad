"""A CloudFormation template without what a stand-in cannot make, and without what refers to that."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from iraas.deploy.template import read_template

MAY_REMOVE = ("Resources", "Outputs")


def without(text: str, cannot: Callable[[str, dict[str, Any]], bool]) -> str:
    """The template as JSON, with nothing in it rewritten.

    `cannot` says of a resource, by its logical id and its definition, that the stand-in does not make it.
    """
    template = read_template(text)
    removed = {name for name, item in template["Resources"].items() if cannot(name, item)}
    while True:
        more = {
            name
            for part in MAY_REMOVE
            for name, item in template[part].items()
            if name not in removed and removed & set(_names(item))
        }
        if not more:
            break
        removed |= more
    for part in MAY_REMOVE:
        template[part] = {name: item for name, item in template[part].items() if name not in removed}
    return json.dumps(template, default=str)


def _names(node: Any) -> Iterator[str]:
    """The logical ids that an expression refers to."""
    if isinstance(node, list):
        for item in node:
            yield from _names(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key == "Ref" and isinstance(value, str):
                yield value
            elif key == "Fn::GetAtt":
                yield value[0]
            elif key == "Fn::Sub":
                text = value if isinstance(value, str) else value[0]
                yield from (part.split("}")[0].split(".")[0] for part in text.split("${")[1:])
                yield from _names(value)
            elif key == "DependsOn":
                yield from [value] if isinstance(value, str) else value
            else:
                yield from _names(value)
