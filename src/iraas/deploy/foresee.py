"""template, parameters -> what CloudFormation will make of it, as far as that is known beforehand. Pure.

Conditions, and functions of parameters and mappings ("Intrinsic function reference"); what only AWS knows stays as
it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


class Foreseen:
    """A template with values for all its parameters."""

    def __init__(self, template: Mapping[str, Any], parameters: Mapping[str, str]) -> None:
        self._template = template
        self._parameters = parameters

    def resources(self) -> dict[str, dict[str, Any]]:
        """Those whose condition holds, with their properties."""
        return {
            name: item
            for name, item in self._template["Resources"].items()
            if "Condition" not in item or self.holds(item["Condition"])
        }

    def holds(self, condition: str) -> bool:
        """Whether a condition of the template is true."""
        return bool(self.value(self._template["Conditions"][condition]))

    def value(self, node: Any) -> Any:
        """What an expression comes to; what cannot be known is returned as it stands."""
        if isinstance(node, list):
            return [self.value(item) for item in node]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            [(name, argument)] = node.items()
            function = _FUNCTIONS.get(name)
            if function is not None:
                return function(self, argument)
        return {key: self.value(item) for key, item in node.items()}

    def parameter(self, name: str) -> Any:
        """A parameter's value; the reference itself, where it is one to a resource."""
        return self._parameters.get(name, {"Ref": name})

    def mapped(self, keys: list[Any]) -> Any:
        """What the mappings have under these keys."""
        found: Any = self._template["Mappings"]
        for key in keys:
            found = found[str(self.value(key))]
        return found


def _if(foreseen: Foreseen, argument: Any) -> Any:
    condition, yes, no = argument
    return foreseen.value(yes if foreseen.holds(condition) else no)


def _equals(foreseen: Foreseen, argument: Any) -> bool:
    one, other = foreseen.value(argument)
    return str(one) == str(other)


def _select(foreseen: Foreseen, argument: Any) -> Any:
    number, items = foreseen.value(argument)
    return items[int(number)]


def _join(foreseen: Foreseen, argument: Any) -> Any:
    separator, items = foreseen.value(argument)
    return separator.join(map(str, items.split(",") if isinstance(items, str) else items))


_FUNCTIONS: dict[str, Callable[[Foreseen, Any], Any]] = {
    "Ref": lambda foreseen, name: foreseen.parameter(name),
    "Condition": lambda foreseen, name: foreseen.holds(name),
    "Fn::If": _if,
    "Fn::Equals": _equals,
    "Fn::Not": lambda foreseen, argument: not foreseen.value(argument[0]),
    "Fn::And": lambda foreseen, argument: all(map(foreseen.value, argument)),
    "Fn::Or": lambda foreseen, argument: any(map(foreseen.value, argument)),
    "Fn::FindInMap": lambda foreseen, argument: foreseen.mapped(argument),
    "Fn::Select": _select,
    "Fn::Join": _join,
}
