"""What the kiosk shows, as the API tells it and as the page draws it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from api.cabinet import Front, label
from api.pages import Lang, as_lang
from api.site.wording import kind_name, say, say_markup, say_offer
from controller.entries import ItemState
from controller.site.cases import Step
from controller.site.kiosk import KioskView
from controller.site.texts import Button, Offer, Screen, Text

# What a button says where the text it answers is not the usual one.
CONFIRM_SAYS: Final = {
    Text.CONFIRM: "Collect now",
    Text.STILL_THERE: "I am still here",
    Text.STILL_OPEN: "It is shut",
    Text.LOAD_CONFIRM: "Yes, it is inside",
}
STEP_SAYS: Final = {
    Step.STAFF_LOOK: "Staff come and look at the door",
    Step.STAFF_CALL: "Staff call you within one working day",
    Step.STAFF_BRING: "Staff see to the machine and tell you",
    Step.VENDOR_MENDS: "The maker puts it right; staff call you within one working day",
}
TAKEN_SAYS: Final = {
    Text.DID_YOU_TAKE: "Yes, I have it",
    Text.TAKE_OUT_CONFIRM: "Yes, I took it out",
}


class ItemShown(BaseModel):
    """An item of the order whose code was accepted."""

    item_id: str
    kind: str
    holder: str
    state: str
    where: str | None


class ChoiceShown(BaseModel):
    """One of the values that the button `choose` takes."""

    model_config = ConfigDict(use_enum_values=True)

    value: str
    offer: Offer  # what it is about, the same in every language
    message: str


class KioskShown(BaseModel):
    """What the screen shows now; another maker's screen needs nothing else."""

    model_config = ConfigDict(use_enum_values=True)

    screen: Screen
    text: Text  # the message's key, the same in every language
    message: str
    values: dict[str, str | int]
    buttons: list[Button]
    choices: list[ChoiceShown]
    doors: list[str]
    session: str | None
    order: str | None
    items: list[ItemShown]
    case: str | None
    step: str | None  # what comes next in that case: staff_look, staff_call, ...
    wait_s: int | None
    lang: str


@dataclass(frozen=True, slots=True)
class SitePlace:
    """What the kiosk says about itself."""

    site_id: str
    name: str
    address: str
    tel: str = ""


def shown(view: KioskView) -> KioskShown:
    return KioskShown(
        screen=view.screen,
        text=view.text,
        message=say(_lang(view), view.text, view.values),
        values=dict(view.values),
        buttons=list(view.buttons),
        choices=_choices(view),
        doors=list(view.doors),
        session=view.session,
        order=view.order,
        items=[
            ItemShown(
                item_id=item.item_id,
                kind=item.kind,
                holder=item.holder,
                state=item.state,
                where=item.where,
            )
            for item in view.items
        ],
        case=view.case,
        step=view.step,
        wait_s=view.wait_s,
        lang=view.lang,
    )


def drawn(
    view: KioskView, place: SitePlace, fronts: Sequence[Front], *, offline: bool
) -> tuple[Lang, Mapping[str, Any]]:
    """The language and all that the kiosk's templates ask for."""
    lang = _lang(view)
    return lang, {
        "place": place,
        "fronts": [each for each in fronts if any(_is_in(where, each) for where in view.doors)],
        "label": label,
        "offline": offline,
        "view": view,
        "message": say_markup(lang, view.text, view.values),
        "choices": _choices(view),
        "items": [
            {
                "kind": item.kind,
                "name": kind_name(lang, item.kind),
                "state": item.state,
                "place": label(item.where) if item.where else "",
                "here": item.where in (*view.doors, view.values.get("machine")),
            }
            for item in view.items
        ],
        "taken": sum(item.state == ItemState.COLLECTED for item in view.items),
        "says": {
            "confirm": CONFIRM_SAYS.get(view.text, "Go on"),
            "taken": TAKEN_SAYS.get(view.text, "I have it"),
            "step": STEP_SAYS[view.step] if view.step else "",
        },
    }


def _choices(view: KioskView) -> list[ChoiceShown]:
    lang = _lang(view)
    return [
        ChoiceShown(
            value=each.value, offer=each.offer, message=say_offer(lang, each.offer, each.values)
        )
        for each in view.choices
    ]


def _lang(view: KioskView) -> Lang:
    return as_lang(view.lang) or "zh-CN"


def _is_in(where: str, front: Front) -> bool:
    return where.partition("/")[0] == front.letter
