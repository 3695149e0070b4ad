"""Plans of both tiers -> the service stack's template, as text.

`templates/service.yaml` is what comes out for the default plans. After a change of `iraas.scaling.render`, of a default
plan or of what lies between the marks, `python -m iraas.deploy.template` writes it anew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

from iraas.errors import ConfigurationError
from iraas.scaling.plan import Plan
from iraas.scaling.render import default_app_plan, default_web_plan, policy_text, render

try:
    import yaml
except ImportError as error:
    raise ConfigurationError(f"deploying needs {error.name}: pip install 'iraas[aws]'") from error
try:
    from yaml import CSafeLoader as SafeLoader  # eight times as fast
except ImportError:  # PyYAML without libyaml
    from yaml import SafeLoader  # type: ignore[assignment]

TEMPLATES = Path(__file__).with_name("templates")
SERVICE = TEMPLATES / "service.yaml"
IMAGE = TEMPLATES / "image.yaml"
INLINE_BYTES = 51_200  # of a template that a request may carry itself ("CloudFormation quotas")

_WIDTH = 116  # columns of a line of YAML
_SHORT = 90  # characters of what stands in one line, about
_RENDERED = re.compile(r"(?<=^  # rendered: begin\n).*?(?=^  # rendered: end\n)", re.MULTILINE | re.DOTALL)
_POLICY = re.compile(r"(?<=^      # policy: begin\n).*?(?=^      # policy: end\n)", re.MULTILINE | re.DOTALL)


class Parameter(NamedTuple):
    """What a stack asks for."""

    name: str
    type: str
    default: str | None  # None: it must be given
    description: str
    allowed: tuple[str, ...] = ()  # empty: whatever fits `pattern`
    pattern: str = ""
    secret: bool = False


def service_template(plan: Plan | None = None, web: Plan | None = None) -> str:
    """The template with these plans of the app tier and of the web tier. None: the default ones, as in the file.

    The policies become alarms and scaling policies, the app tier's also the controller's file, and their bounds the
    defaults of AppMin, AppMax, WebMin and WebMax. Bounds are instances here.
    """
    text = SERVICE.read_text()
    if plan is None and web is None:
        return text
    app, web = plan or default_app_plan(), web or default_web_plan()
    text = _replaced(_RENDERED, _resources(app, "app") + _resources(web, "web"), text)
    text = _replaced(_POLICY, _policy(app), text)
    for tier, bounds in (("app", app), ("web", web)):
        for end in ("minimum", "maximum"):
            line = re.compile(rf"(?<=^    Default: )\d+(?=  # rendered: {tier} {end}$)", re.MULTILINE)
            text = _replaced(line, str(getattr(bounds, end)), text)
    return text


def parameters(template: str) -> list[Parameter]:
    """What a template's stack asks for, in the template's order."""
    found = read_template(template)["Parameters"]
    return [
        Parameter(
            name=name,
            type=about["Type"],
            default=str(about["Default"]) if "Default" in about else None,
            description=about.get("Description", ""),
            allowed=tuple(str(value) for value in about.get("AllowedValues", ())),
            pattern=about.get("AllowedPattern", ""),
            secret=bool(about.get("NoEcho", False)),
        )
        for name, about in found.items()
    ]


def read_template(text: str) -> dict[str, Any]:
    """YAML of CloudFormation -> plain dicts, with the long forms of its functions: `{"Ref": ...}`."""
    found: dict[str, Any] = yaml.load(text, Loader=_Reader)  # noqa: S506 - a SafeLoader
    return found


def _replaced(mark: re.Pattern[str], new: str, text: str) -> str:
    done, count = mark.subn(lambda _: new, text)
    if count != 1:
        raise ValueError(f"{SERVICE.name} has {count} places {mark.pattern!r}, and must have one")
    return done


def _resources(plan: Plan, tier: Literal["app", "web"]) -> str:
    made = render(plan, tier=tier)
    text = yaml.dump(made, Dumper=_Writer, sort_keys=False, width=_WIDTH, allow_unicode=True)
    return _indented(text, 2)


def _policy(plan: Plan) -> str:
    """The plan's file without its bounds, which are parameters of the stack."""
    toml = policy_text(plan)
    return "      Policy: |\n" + _indented(toml[toml.index("[policy]") :], 8)


def _indented(text: str, columns: int) -> str:
    return "".join(" " * columns + line if line.strip() else line for line in text.splitlines(keepends=True))


class _Writer(yaml.SafeDumper):
    """What is short in one line, and no anchors: CloudFormation knows none ("Template formats")."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML passes it
        """Write what occurs twice twice."""
        return True

    def represent_sequence(
        self, tag: str, sequence: Any, flow_style: bool | None = None
    ) -> yaml.SequenceNode:
        """A list, in one line if it is short."""
        node = super().represent_sequence(tag, sequence, flow_style)
        node.flow_style = _length(node) <= _SHORT
        return node

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> yaml.MappingNode:
        """A table, in one line if it is short."""
        node = super().represent_mapping(tag, mapping, flow_style)
        node.flow_style = _length(node) <= _SHORT
        return node


def _length(node: yaml.Node) -> int:
    """Characters that a node takes in one line, about."""
    if isinstance(node, yaml.MappingNode):
        return sum(_length(key) + _length(value) + 4 for key, value in node.value) + 2
    if isinstance(node, yaml.SequenceNode):
        return sum(_length(item) + 2 for item in node.value) + 2
    return len(node.value)


class _Reader(SafeLoader):
    """A loader that knows the short forms."""


def _long_form(loader: _Reader, name: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    if name == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


_Reader.add_multi_constructor("!", _long_form)


def _main() -> Iterator[str]:
    text = service_template(default_app_plan(), default_web_plan())
    SERVICE.write_text(text)
    size = len(text.encode())
    yield f"{SERVICE}: {size:,} bytes" + (" - too long for a call" if size > INLINE_BYTES else "")


if __name__ == "__main__":
    for line in _main():
        print(line)  # noqa: T201 - a tool
