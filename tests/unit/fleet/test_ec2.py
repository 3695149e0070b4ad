"""One instance over metadata, a group and workers in memory, and real files."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from iraas.errors import BackendUnavailable
from iraas.fleet.ec2 import Instance
from iraas.fleet.ec2_life import Rule
from iraas.fleet.ec2_metadata import Plans
from iraas.testing.manual_clock import ManualClock

RULE = Rule(look_every=5.0, protect_every=60.0, linger=0.0, drain=120.0, protects=True, has_hook=True)
AWAY = BackendUnavailable("away")


class World:
    """What an instance sees, and what it did to it. It plays metadata and group itself."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock()
        self.planned = Plans("InService")
        self.away = False  # metadata
        self.refuses: set[str] = set()  # calls to the group
        self.waits = True  # the hook
        self.busy = False
        self.serves = False
        self.said_serving: list[str] = []
        self.calls: list[tuple[object, ...]] = []

    def instance_id(self) -> str:
        return self._unless_away("i-1")

    def plans(self) -> Plans:
        return self._unless_away(self.planned)

    def protect(self, instance: str, *, protected: bool) -> None:
        self._call("protect", instance, protected)

    def beat(self, instance: str) -> bool:
        self._call("beat", instance)
        return self.waits

    def complete(self, instance: str) -> bool:
        self._call("complete", instance)
        return self.waits

    def is_busy(self) -> bool:
        return self.busy

    def say_serving(self, instance: str) -> bool:
        self.said_serving.append(instance)
        return self.serves

    def instance(self, rule: Rule = RULE) -> Instance:
        """As it is started; a second one is the same process started again."""
        started = Instance(
            metadata=self,
            group=self,
            is_busy=self.is_busy,
            folder=self.folder,
            rule=rule,
            clock=self.clock,
            say_serving=self.say_serving,
            wait=self.clock.advance,
        )
        started.until_known()
        return started

    def leave(self) -> str | None:
        """What the services are told."""
        path = self.folder / "leave"
        return path.read_text() if path.exists() else None

    def say_left(self) -> None:
        """The services have left."""
        (self.folder / "left").touch()

    def _unless_away(self, found):
        if self.away:
            raise AWAY
        return found

    def _call(self, *call: object) -> None:
        self.calls.append(call)
        if call[0] in self.refuses:
            raise AWAY


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_an_instance_that_its_group_ends_has_its_services_leave_and_completes_the_hook(world):
    """`leave` is written, nothing happens until `left` is there, then the hook is completed, once."""
    instance = world.instance()
    world.planned = Plans("Terminated")
    instance.look()
    assert world.leave() == "its group ends it\n"
    world.clock.advance(5)
    instance.look()
    assert world.calls == []

    world.say_left()
    for _ in range(3):
        instance.look()
        world.clock.advance(5)

    assert world.calls == [("complete", "i-1")]


def test_the_time_of_a_spot_notice_is_wall_time(world):
    """EC2 says when it takes the instance; a drain that takes longer is given up ten seconds before."""
    instance = world.instance()
    world.planned = Plans("InService", taken_at=world.clock.time() + 40)
    with capture_logs() as lines:
        instance.look()
        world.clock.advance(25)
        instance.look()
        assert [line["event"] for line in lines] == ["instance.leaving"]
        world.clock.advance(5)
        instance.look()
    assert lines[0]["reason"] == "EC2 takes it back"
    assert lines[1] == {
        "event": "instance.left",
        "in_time": False,
        "seconds": 30.0,
        "instance": "i-1",
        "log_level": "info",
    }


def test_protection_follows_the_workers(world):
    """Protected at the first busy look, given up when all are idle, a minute later at the earliest."""
    instance = world.instance()
    world.busy = True
    instance.look()
    world.busy = False
    for _ in range(13):
        instance.look()
        world.clock.advance(5)

    assert world.calls == [("protect", "i-1", True), ("protect", "i-1", False)]


@pytest.mark.parametrize("killed_after", range(5))
def test_a_restart_at_any_look_forgets_nothing(world, killed_after):
    """Killed and started again after each look, it does what it would have done, and nothing twice."""
    happenings = [
        lambda: setattr(world, "busy", True),
        lambda: setattr(world, "planned", Plans("Terminated")),
        lambda: None,
        world.say_left,
        lambda: None,
    ]
    instance = world.instance(RULE._replace(linger=7.0))
    for number, happen in enumerate(happenings):
        happen()
        instance.look()
        if number >= killed_after:
            instance = world.instance(RULE._replace(linger=7.0))
        world.clock.advance(5)

    assert world.calls == [("protect", "i-1", True), ("complete", "i-1")]
    assert world.leave()


def test_a_hook_that_does_not_wait_yet_is_asked_again(world):
    """The target state may change before the hook waits: completing it too early is not the end of it."""
    instance = world.instance()
    world.planned, world.waits = Plans("Terminated"), False
    world.say_left()
    with capture_logs() as lines:
        for _ in range(3):
            instance.look()
            world.clock.advance(5)
        world.waits = True
        for _ in range(3):
            instance.look()

    assert world.calls == [("complete", "i-1")] * 3
    assert "instance.trouble" not in [line["event"] for line in lines]


def test_a_trouble_is_told_once_and_again_when_it_comes_back(world):
    """Metadata that is away for an hour is one line, not seven hundred."""
    instance = world.instance()
    with capture_logs() as lines:
        for _ in range(2):
            world.away = True
            for _ in range(5):
                instance.look()
            world.away = False
            instance.look()

    assert [(line["event"], line["what"]) for line in lines] == [("instance.trouble", "metadata")] * 2


def test_metadata_that_is_not_there_at_the_start_is_waited_for(world):
    """An instance that does not know its own id goes on asking."""
    world.away = True
    world.clock.when_moved(lambda: setattr(world, "away", world.clock.boot() < 1_030))

    assert world.instance().until_known() == "i-1"
    assert world.clock.boot() == 1_030


def test_a_group_that_refuses_holds_up_nothing_but_its_call(world):
    """Protection that cannot be had is asked for a minute later; leaving does not wait for it."""
    world.refuses = {"protect"}
    instance = world.instance()
    world.busy = True
    for _ in range(12):
        instance.look()
        world.clock.advance(5)
    assert world.calls == [("protect", "i-1", True)]
    world.planned = Plans("Terminated")
    instance.look()

    assert world.leave()


def test_a_memory_that_is_damaged_is_begun_anew(world):
    """A file that was cut short by a crash of the machine does not keep the process from starting."""
    (world.folder / "instance.json").write_text('{"begun": 1')
    instance = world.instance()
    world.planned = Plans("Terminated")
    instance.look()

    assert world.leave()


def test_it_says_that_it_serves_until_that_is_done(world):
    """Asked with each look, and no more once there is nothing left to say."""
    instance = world.instance()
    instance.look()
    world.serves = True
    instance.look()
    instance.look()

    assert world.said_serving == ["i-1", "i-1"]
