"""text of a CloudFormation template, parameters -> resources with conditions and intrinsics resolved; pure.

The rules are those of the AWS CloudFormation User Guide, "Intrinsic function reference" and "Pseudo parameters
reference". Physical names are the caller's: he knows what a Ref or an attribute of his resources is.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import yaml

Names = Callable[[str, str | None], Any]  # logical id, attribute (None: Ref) -> physical name

REFERENCE = re.compile(r"\$\{(!?)([^}]*)\}")  # of Fn::Sub
REMOVED = object()  # what AWS::NoValue leaves behind


class Resource(NamedTuple):
    """One resource of a stack."""

    type: str
    properties: dict[str, Any]
    whole: dict[str, Any]  # with its other keys: DependsOn, UpdatePolicy, Metadata ...


class Stack(NamedTuple):
    """What a template makes with these parameters."""

    resources: dict[str, Resource]  # by logical id; those whose condition does not hold are not there
    outputs: dict[str, Any]
    conditions: dict[str, bool]

    def of(self, *types: str) -> dict[str, Resource]:
        """Those of some types."""
        return {name: found for name, found in self.resources.items() if found.type in types}


def read(text: str) -> dict[str, Any]:
    """YAML with CloudFormation's short tags -> the long form."""
    document: dict[str, Any] = yaml.load(text, Loader=_Loader)
    return document


def resolve(
    document: Mapping[str, Any],
    *,
    names: Names,
    parameters: Mapping[str, str] | None = None,
    pseudo: Mapping[str, Any] | None = None,
    zones: tuple[str, ...] = (),
) -> Stack:
    """The stack. `pseudo`: AWS::Region and its kind; `zones`: what Fn::GetAZs gives.

    Raises `ValueError` that names a parameter without a value, an intrinsic that is not known, a reference to nothing.
    """
    resolver = _Resolver(document, names, {**(pseudo or {})}, zones, parameters or {})
    conditions = {name: resolver.holds(name) for name in document.get("Conditions", {})}
    resources = {}
    for name, resource in document["Resources"].items():
        if "Condition" not in resource or conditions[resource["Condition"]]:
            whole = resolver.value({key: value for key, value in resource.items() if key != "Condition"})
            resources[name] = Resource(whole["Type"], whole.get("Properties", {}), whole)
    outputs = {
        name: resolver.value(output["Value"])
        for name, output in document.get("Outputs", {}).items()
        if "Condition" not in output or conditions[output["Condition"]]
    }
    return Stack(resources, outputs, conditions)


class _Resolver:
    """Values with intrinsics -> values without."""

    def __init__(
        self,
        document: Mapping[str, Any],
        names: Names,
        pseudo: dict[str, Any],
        zones: tuple[str, ...],
        given: Mapping[str, str],
    ) -> None:
        self._document = document
        self._names = names
        self._pseudo = pseudo
        self._zones = zones
        self._held: dict[str, bool] = {}
        self._parameters = _parameters(document.get("Parameters", {}), given)
        self._intrinsics: dict[str, Callable[[Any], Any]] = {
            "Ref": self._ref, "Fn::Sub": self._sub, "Fn::GetAtt": self._attribute, "Fn::If": self._if,
            "Fn::Equals": self._equals, "Fn::Not": lambda of: not self.value(of[0]), "Condition": self.holds,
            "Fn::And": lambda of: all(self.value(each) for each in of),
            "Fn::Or": lambda of: any(self.value(each) for each in of),
            "Fn::FindInMap": self._find, "Fn::Join": self._join, "Fn::Select": self._select,
            "Fn::Split": self._split, "Fn::Base64": self._base64, "Fn::GetAZs": lambda _of: list(self._zones),
        }  # fmt: skip

    def value(self, value: Any) -> Any:
        """What it is when the stack is made."""
        if isinstance(value, list):
            return [found for each in value if (found := self.value(each)) is not REMOVED]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            [(key, inner)] = value.items()
            # A resource, too, has a key `Condition`; alone and with text in it, it is the intrinsic.
            if key in self._intrinsics and (key != "Condition" or isinstance(inner, str)):
                return self._intrinsics[key](inner)
            if key.startswith("Fn::"):
                raise ValueError(f"{key}: this intrinsic is not known to the rig")
        found = {key: self.value(inner) for key, inner in value.items()}
        return {key: inner for key, inner in found.items() if inner is not REMOVED}

    def holds(self, name: str) -> bool:
        """A condition."""
        if name not in self._held:
            if name not in self._document.get("Conditions", {}):
                raise ValueError(f"Condition: there is no {name} among Conditions")
            self._held[name] = bool(self.value(self._document["Conditions"][name]))
        return self._held[name]

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return REMOVED
        if name in self._parameters:
            return self._parameters[name]
        if name in self._pseudo:
            return self._pseudo[name]
        if name not in self._document["Resources"]:
            raise ValueError(f"Ref: there is no parameter, pseudo parameter or resource {name}")
        return self._names(name, None)

    def _attribute(self, of: Any) -> Any:
        name, attribute = of.split(".", 1) if isinstance(of, str) else (of[0], self.value(of[1]))
        if name not in self._document["Resources"]:
            raise ValueError(f"Fn::GetAtt: there is no resource {name}")
        return self._names(name, attribute)

    def _sub(self, of: Any) -> str:
        text, own = (of, {}) if isinstance(of, str) else of

        def replaced(match: re.Match[str]) -> str:
            literal, name = match[1], match[2].strip()
            if literal:
                return f"${{{match[2]}}}"
            if name in own:
                return _text(self.value(own[name]), f"Fn::Sub: {name}")
            found = self._attribute(name) if "." in name else self._ref(name)
            return _text(found, f"Fn::Sub: {name}")

        return REFERENCE.sub(replaced, text)

    def _if(self, of: list[Any]) -> Any:
        condition, true, false = of
        return self.value(true if self.holds(condition) else false)

    def _equals(self, of: list[Any]) -> bool:
        one, other = (self.value(each) for each in of)
        return _text(one, "Fn::Equals") == _text(other, "Fn::Equals")

    def _find(self, of: list[Any]) -> Any:
        where = self._document.get("Mappings", {})
        for key in of[:3]:
            found = self.value(key)
            if found not in where:
                raise ValueError(f"Fn::FindInMap: there is no {found} among {', '.join(where) or 'nothing'}")
            where = where[found]
        return where

    def _join(self, of: list[Any]) -> str:
        between, values = of
        return str(between).join(_text(each, "Fn::Join") for each in self.value(values))

    def _select(self, of: list[Any]) -> Any:
        place, values = int(self.value(of[0])), self.value(of[1])
        if not 0 <= place < len(values):
            raise ValueError(f"Fn::Select: there is no element {place} among {len(values)}")
        return values[place]

    def _split(self, of: list[Any]) -> list[str]:
        return _text(self.value(of[1]), "Fn::Split").split(of[0])

    def _base64(self, of: Any) -> str:
        return base64.b64encode(_text(self.value(of), "Fn::Base64").encode()).decode()


def _parameters(declared: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    """Those given, and defaults; lists are split at their commas."""
    if unknown := sorted(set(given) - set(declared)):
        raise ValueError(f"Parameters: the template has no {', '.join(unknown)}")
    found: dict[str, Any] = {}
    for name, declaration in declared.items():
        value = given.get(name, declaration.get("Default"))
        if value is None:
            raise ValueError(f"Parameters: {name} has no default; give one")
        allowed = declaration.get("AllowedValues")
        if allowed is not None and str(value) not in map(str, allowed):
            raise ValueError(
                f"Parameters: {name} is {value!r}, and must be one of {', '.join(map(str, allowed))}"
            )
        kind = declaration["Type"]
        if kind == "CommaDelimitedList" or "List<" in kind:
            found[name] = [each.strip() for each in str(value).split(",")] if str(value) else []
        else:
            found[name] = _text(value, f"Parameters: {name}")
    return found


def _text(value: Any, where: str) -> str:
    """CloudFormation knows numbers and truth values only as text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise ValueError(f"{where}: {value!r} is no text")


class _Loader(yaml.SafeLoader):
    """Short tags become the long form, and a date stays text: CloudFormation has none."""


def _tagged(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    key = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        return {key: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {key: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {key: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _tagged)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
