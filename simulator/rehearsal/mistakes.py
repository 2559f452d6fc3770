"""A driver with a mistake in it: whoever follows its board meets what nobody expects."""

from collections.abc import AsyncIterator, Collection

from controller.ports import BoardSight, LockBoard


class Mistaken:
    """A lock board whose driver fails of itself while its name is in `mistaken`."""

    def __init__(self, board: LockBoard, mistaken: Collection[str]) -> None:
        self.name = board.name
        self.doors = board.doors
        self.rests_s = board.rests_s
        self.release = board.release
        self.look = board.look
        self._board = board
        self._mistaken = mistaken

    @property
    def pulses_longer(self) -> bool:
        return self._board.pulses_longer

    async def watch(self) -> AsyncIterator[BoardSight]:
        async for sight in self._board.watch():
            if self.name in self._mistaken:
                raise ZeroDivisionError
            yield sight
