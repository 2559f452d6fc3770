"""Companies and recipients of one run; their numbers pass every check and are nobody's."""

from random import Random
from typing import Any, Final

from stdnum.cn import uscc

FAMILY: Final = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨"
GIVEN: Final = "安博川达恩帆光海嘉凯岚明宁鹏清睿"
REGION: Final = "440304"
ID_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
ID_CHECKS: Final = "10X98765432"
NUMBER_SIGNS: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"


class People:
    """`secrets` keeps what must never be read anywhere outside the district's own tables."""

    def __init__(self, dice: Random) -> None:
        self.secrets: set[str] = set()
        self._dice = dice

    def company(self, number: str) -> dict[str, str]:
        """A company whose name is no person's."""
        front = "91" + REGION + "".join(self._dice.choice(NUMBER_SIGNS) for _ in range(9))
        code = front + uscc.calc_check_digit(front)
        self.secrets.add(code)
        return {"name": f"Company {number}", "uscc": code}

    def recipient(self, *, carries_card: bool) -> dict[str, Any]:
        dice = self._dice
        name = dice.choice(FAMILY) + "".join(dice.choice(GIVEN) for _ in range(2))
        phone = f"+8613{dice.randrange(10**9):09d}"
        person = {"name": name, "phone": phone, "role": "agent"}
        self.secrets |= {name, phone.removeprefix("+86")}
        if carries_card:
            person["id_number"] = card_number(dice)
            self.secrets.add(person["id_number"])
        return person


def card_number(dice: Random) -> str:
    """Of an identity card."""
    born = f"19{dice.randrange(50, 99)}{dice.randrange(1, 13):02d}{dice.randrange(1, 28):02d}"
    front = f"{REGION}{born}{dice.randrange(1000):03d}"
    total = sum(int(sign) * weight for sign, weight in zip(front, ID_WEIGHTS, strict=True))
    return front + ID_CHECKS[total % 11]
