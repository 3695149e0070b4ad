"""A clock that stands still until a test moves it."""

from __future__ import annotations

from collections.abc import Callable

DOWN_SECONDS = 60.0  # that a restart of the machine takes, by the wall clock
UP_SECONDS = 10.0  # of boot time when the first process of a boot looks


class ManualClock:
    """A `Clock` in a test's hand. Whoever waits for a moment asks to be told when the clock is moved."""

    def __init__(self, *, time: float = 1_700_000_000.0, boot: float = 1_000.0) -> None:
        self._time = time
        self._boot = boot
        self._boots = 1
        self._listeners: list[Callable[[], object]] = []

    @property
    def boot_id(self) -> str:
        """The name of this boot."""
        return f"boot-{self._boots}"

    def time(self) -> float:
        """Wall time in seconds since 1970-01-01T00:00Z."""
        return self._time

    def boot(self) -> float:
        """Seconds since the machine started."""
        return self._boot

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        if seconds < 0:
            raise ValueError("time does not go back; jump_wall moves the wall clock either way")
        self._boot += seconds
        self._time += seconds
        self._tell()

    def jump_wall(self, seconds: float) -> None:
        """Set the wall clock forward, or back, as an administrator or a time server would."""
        self._time += seconds
        self._tell()

    def reboot(self) -> None:
        """Restart the machine: boot time begins anew under another name."""
        self._boots += 1
        self._boot = UP_SECONDS
        self._time += DOWN_SECONDS
        self._tell()

    def when_moved(self, listener: Callable[[], object]) -> None:
        """Call this after each move."""
        self._listeners.append(listener)

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()
