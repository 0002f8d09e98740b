"""Trainings whose coordinator does what is not its part: nothing is opened, and it is suspected."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_training import Room, make_room, refused

from cleanroom.coordinator.piping import Pipe
from cleanroom.errors import PeerMisbehaved, PeerUnavailable
from cleanroom.transport.call import Call

Frame = bytes | None


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("relayed")


@pytest.fixture(scope="module")
def members(home: Path) -> Room:
    return make_room(home)


def relays(
    change: Callable[[Frame], Frame], sender: str, monkeypatch: pytest.MonkeyPatch, place: int = 0
) -> None:
    """Let the coordinator change every frame that a member sends."""
    whole = Pipe.join

    async def join(pipe: Pipe, call: Call, at: int) -> None:
        receive = call.receive

        async def changed() -> Frame:
            return change(await receive())

        if call.peer == sender and place in (0, at):
            call.receive = changed  # type: ignore[method-assign]
        await whole(pipe, call, at)

    monkeypatch.setattr(Pipe, "join", join)


def flipped(frame: Frame) -> Frame:
    return frame and frame[:-1] + bytes([frame[-1] ^ 1])


class Later:
    """Changes the frames after the first ones."""

    def __init__(self, first: int, how: str) -> None:
        self._left, self._how = first, how
        self._kept: list[Frame] = []

    def __call__(self, frame: Frame) -> Frame:
        self._kept.append(frame)
        self._left -= 1
        if self._left >= 0 or frame is None:
            return frame
        return {"repeat": self._kept[0], "flip": flipped(frame), "drop": None}[self._how]


@pytest.mark.parametrize("first", [0, 2])
@pytest.mark.parametrize("how", ["repeat", "flip", "drop"])
@pytest.mark.parametrize(("sender", "place"), [("west", 0), ("university", 3)])
def test_what_is_changed_repeated_or_cut_short_opens_nothing(
    members: Room,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
    first: int,
    sender: str,
    place: int,
) -> None:
    relays(Later(first, how), sender, monkeypatch, place)
    error = refused(members, home)
    assert (type(error), error.party) == (PeerMisbehaved, f"{sender} or coordinator"), error


def test_owners_whose_conversations_are_swapped_open_nothing(
    members: Room, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Pipe.member_of
    swapped = {1: 1, 2: 3, 3: 2}

    def member_of(pipe: Pipe, caller: str, place: int) -> str:
        return whole(pipe, caller, swapped.get(place, place))

    monkeypatch.setattr(Pipe, "member_of", member_of)
    error = refused(members, home)
    assert isinstance(error, PeerMisbehaved)
    assert error.party in {f"{name} or coordinator" for name in ("south", "west", "university")}


def test_an_owner_that_is_said_to_have_left_ends_the_training(
    members: Room, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Pipe.join

    async def join(pipe: Pipe, call: Call, place: int) -> None:
        if call.peer == "west":
            pipe.leave("west", PeerUnavailable("has left", party="west"))
        await whole(pipe, call, place)

    monkeypatch.setattr(Pipe, "join", join)
    error = refused(members, home)
    assert (type(error), error.party) == (PeerUnavailable, "west")
    assert "3 owners have to stay" in error.message
