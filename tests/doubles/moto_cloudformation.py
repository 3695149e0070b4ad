"""moto's server with CloudFormation, whose imports want a package that nothing here uses.

moto reads the parts of all services before it makes a stack; that of API Gateway validates OpenAPI by way of
openapi-spec-validator, which drags in a dozen packages. No template of ours has an API Gateway.
"""

from __future__ import annotations

import sys
from types import ModuleType

from tests.doubles import moto
from tests.doubles.program import SqsProgram

_UNUSED = "openapi_spec_validator"


class MotoCloudFormation(SqsProgram):
    """The server, while the `with` block runs."""

    def __init__(self) -> None:
        super().__init__([sys.executable, "-m", "tests.doubles.moto_cloudformation"], quiet=True)


def _absent(name: str, **contents: object) -> None:
    module = ModuleType(name)
    vars(module).update(contents)
    sys.modules[name] = module


if __name__ == "__main__":
    try:
        __import__(_UNUSED)
    except ImportError:
        _absent(_UNUSED, validate=None)
        _absent(f"{_UNUSED}.validation")
        _absent(f"{_UNUSED}.validation.exceptions", OpenAPIValidationError=ValueError)
    moto.serve()
