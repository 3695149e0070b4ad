"""a template as people write it -> what goes into a request, small enough for one."""

from __future__ import annotations

import json

from iraas.deploy.refusals import NotDone
from iraas.deploy.template import INLINE_BYTES, read_template


def body(template: str) -> str:
    """The template as it is, or where that is too long as JSON without comments and spaces.

    Longer ones would have to lie in a bucket, and before the first stack there is none. Raises `NotDone`.
    """
    if len(template.encode()) <= INLINE_BYTES:
        return template
    small = json.dumps(read_template(template), separators=(",", ":"), ensure_ascii=False, default=str)
    size = len(small.encode())
    if size > INLINE_BYTES:
        raise NotDone(
            f"the template has {size:,} bytes, and a request takes {INLINE_BYTES:,}: "
            "take a policy with fewer parts or steps"
        )
    return small
