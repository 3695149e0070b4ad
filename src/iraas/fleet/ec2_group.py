"""what an instance tells its Auto Scaling group: protect me, I still work, I am done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError
from botocore.parsers import ResponseParserError

from iraas.errors import BackendUnavailable

ATTEMPTS = 3
READ_SECONDS = 5.0
_NOTHING_WAITS = "No active Lifecycle Action found"  # ValidationError of both calls to a hook


class InstanceGroup:
    """The group of one instance. Each call raises `BackendUnavailable` when Auto Scaling refuses or is away.

    `connect` makes the client at the first call, and again after one without credentials: soon after an instance
    started its role may not be known yet, and a client never looks again.
    """

    def __init__(self, connect: Callable[[], Any], *, name: str, hook: str) -> None:
        self._connect = connect
        self._name, self._hook = name, hook
        self._client: Any = None

    def protect(self, instance: str, *, protected: bool) -> None:
        """Protect the instance from scale-in, or no longer."""
        self._call(
            "set_instance_protection",
            InstanceIds=[instance],
            AutoScalingGroupName=self._name,
            ProtectedFromScaleIn=protected,
        )

    def beat(self, instance: str) -> bool:
        """Let the hook's time begin anew; False when no hook waits."""
        return self._tell_hook("record_lifecycle_action_heartbeat", InstanceId=instance)

    def complete(self, instance: str) -> bool:
        """End the hook's wait: the instance may be terminated. False when no hook waits, not yet or no longer."""
        return self._tell_hook(
            "complete_lifecycle_action", InstanceId=instance, LifecycleActionResult="CONTINUE"
        )

    def _tell_hook(self, call: str, **parameters: str) -> bool:
        try:
            self._call(call, LifecycleHookName=self._hook, AutoScalingGroupName=self._name, **parameters)
        except BackendUnavailable as error:
            if _NOTHING_WAITS in str(error):
                return False
            raise
        return True

    def _call(self, call: str, **parameters: Any) -> None:
        try:
            if self._client is None:
                self._client = self._connect()
            getattr(self._client, call)(**parameters)
        except (BotoCoreError, ClientError, ResponseParserError, ValueError) as error:
            if isinstance(error, NoCredentialsError):
                self._client = None
            raise BackendUnavailable(f"Auto Scaling: {error}") from None
