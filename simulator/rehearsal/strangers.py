"""Those who have no business here: they guess, and show codes that are not theirs or long dead."""

from random import Random
from typing import Final

from controller.codes import mint_secret, qr_text
from controller.site.texts import Button, Screen
from simulator.rehearsal.district import Code
from simulator.rehearsal.person import Person
from simulator.rehearsal.stage import Stage

PATIENCE_S: Final = 200.0
TYPES_S: Final = (1.0, 8.0)  # whoever guesses is quick
TRIES: Final = (2, 16)
KNOWS_DIGITS: Final = 0.3  # of those who guess
FREE_TRIES: Final = 3
SCANS: Final = 0.4  # of all
ODD: Final = ("", "A", "OW1:", "OW1:X:0", "http://example.invalid/p/1", "\x1b[2J", "9" * 120)


class Stranger(Person):
    """One visit of somebody who saw these codes, or none."""

    def __init__(self, stage: Stage, dice: Random, seen: list[Code]) -> None:
        super().__init__(stage, dice)
        self._seen = seen
        self.guessed = False  # so often that the next may not type

    async def visit(self) -> None:
        if not await self.sees(lambda: self.screen is Screen.IDLE, PATIENCE_S):
            return
        await self.takes("walk_up")
        if self.happens(SCANS):
            await self._scan()
        else:
            await self._guess()
        self.press(Button.END)

    async def _scan(self) -> None:
        """A code that somebody thought up, or what is none."""
        await self.takes("hold")
        view = self.view
        site = self.stage.settings.site.id
        made = qr_text(site, mint_secret(self.dice.getrandbits))
        self.hold(self.dice.choice((made, *ODD)), "other", "none")
        await self.answer("qr", "other", "none", view)

    async def _guess(self) -> None:
        typed = [code for code in self._seen if code.typed]
        known = self.dice.choice(typed) if typed and self.happens(KNOWS_DIGITS) else None
        for number in range(self.dice.randint(*TRIES)):
            await self.waits(self.dice.uniform(*TYPES_S))
            if self.screen is Screen.REFUSED:
                self.press(Button.END)
            if not await self.sees(lambda: self.screen is Screen.IDLE, PATIENCE_S):
                return
            view = self.view
            what, of, digits = self._thought_up(known)
            self.guessed = number > FREE_TRIES
            if self.type(digits, what, of):
                await self.answer("typed", what, of, view)

    def _thought_up(self, known: Code | None) -> tuple[str, str, str]:
        """What it is, whose it is, and twelve digits."""
        tail = f"{self.dice.randrange(10_000):04d}"
        if known is None:
            return "other", "none", f"{self.dice.randrange(10**8):08d}{tail}"
        right = tail == known.tail
        return "code" if right else "digits", known.code_id, f"{known.typed[:-4]}{tail}"
