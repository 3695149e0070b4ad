"""A stack's name -> the names of its response queues, and their URLs.

A name is what a job carries as `reply_to`: a worker makes the URL of it without asking, and whoever forges one
reaches no queue but these.
"""

from __future__ import annotations

import re
import secrets
import string

STACK_LENGTH = 40  # characters of the stack's name; a queue's has 80 at most
NAME_LETTERS = string.ascii_lowercase + string.digits
NAME_LENGTH = 12  # random characters: SQS makes no queue of a name that was removed less than 60 s ago


class ResponseNames:
    """The response queues of a stack lie beside its request queue, in the same account and region."""

    def __init__(self, *, requests_url: str, stack: str) -> None:
        self.prefix = f"{stack[:STACK_LENGTH]}-responses-"
        self._beside = requests_url.rpartition("/")[0]
        self._form = re.compile(rf"{re.escape(self.prefix)}[{NAME_LETTERS}]{{{NAME_LENGTH}}}")

    def new(self) -> str:
        """A name that no queue has or had."""
        return self.prefix + "".join(secrets.choice(NAME_LETTERS) for _ in range(NAME_LENGTH))

    def is_one(self, name: str) -> bool:
        """Whether a response queue of this stack may have this name."""
        return self._form.fullmatch(name) is not None

    def url(self, name: str) -> str:
        """Where the queue of this name is."""
        return f"{self._beside}/{name}"
