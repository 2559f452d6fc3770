"""An order as a client writes it: every field checked, all errors found at once.

What only the district knows (sites, vendors, kinds, today) comes in as the validation's context.
"""

import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from controller import identifiers
from controller.entries import Kind
from controller.refusals import FieldsRefused

ITEMS_MAX = 10
RECIPIENTS_MAX = 10
FIELD_NAME_MAX = 100
SEAL_CODE_DIGITS = 13
NAME_MAX = 100
PLAIN = {  # in our words, where the library speaks of Python
    "model_type": "must be an object",
    "list_type": "must be a list",
    "string_type": "must be a text",
    "extra_forbidden": "is not a field here",
    "missing": "is missing",
}
BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class Known:
    """What an order may name."""

    machines: dict[str, frozenset[str] | None]  # by site; None: the site has not said yet
    vendors: frozenset[str]
    kinds: frozenset[str]
    today: date


def _known(info: ValidationInfo) -> Known:
    assert isinstance(info.context, Known)
    return info.context


def wrong(message: str) -> PydanticCustomError:
    return PydanticCustomError("refused", "{message}", {"message": message})


def _one_line(text: str) -> str:
    if any(unicodedata.category(sign) in ("Cc", "Zl", "Zp") for sign in text):
        raise wrong("must not hold control characters or line ends")
    if not BIDI_CONTROLS.isdisjoint(text):
        raise wrong("must not hold signs that turn the direction of writing")
    if not text.strip():
        raise wrong("must not be empty")
    return text.strip()


def _uscc(text: str) -> str:
    return _checked(identifiers.uscc, text)


def _phone(text: str) -> str:
    return _checked(identifiers.phone, text)


def _order_no(text: str) -> str:
    return _checked(identifiers.order_no, text)


def _checked(check: Any, *values: Any) -> str:
    try:
        return str(check(*values))
    except identifiers.NotAnIdentifier as error:
        raise wrong(str(error)) from None


def _id_number(text: str, info: ValidationInfo) -> str:
    return _checked(identifiers.id_number, text, _known(info).today)


def _site(text: str, info: ValidationInfo) -> str:
    if text not in _known(info).machines:
        raise wrong("is not a site of this district")
    return text


def _vendor(text: str, info: ValidationInfo) -> str:
    if text not in _known(info).vendors:
        raise wrong("is not a vendor of this district")
    return text


def _kind(text: str, info: ValidationInfo) -> str:
    if text not in (kinds := _known(info).kinds):
        raise wrong(f"must be one of {', '.join(sorted(kinds))}")
    return text


def _seal_code(text: str) -> str:
    if len(text) != SEAL_CODE_DIGITS or not (text.isascii() and text.isdigit()):
        raise wrong(f"must be {SEAL_CODE_DIGITS} digits")
    return text


Line = Annotated[str, Field(max_length=NAME_MAX), AfterValidator(_one_line)]
Number = Annotated[str, AfterValidator(_order_no)]
Seal = Literal["official", "finance", "invoice", "legal_representative", "contract"]
SealCode = Annotated[str, AfterValidator(_seal_code)]
Role = Literal[
    "legal_representative", "responsible_person", "proprietor", "managing_partner", "agent"
]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Company(_Part):
    name: Line
    uscc: Annotated[str, AfterValidator(_uscc)]


class Recipient(_Part):
    name: Line
    phone: Annotated[str, Field(max_length=40), AfterValidator(_phone)]
    id_number: Annotated[str, AfterValidator(_id_number)] | None = None
    role: Role


class Item(_Part):
    item_id: Number | None = None
    kind: Annotated[str, AfterValidator(_kind)]
    holder: Literal["cabinet", "machine"]
    vendor_id: Annotated[str, AfterValidator(_vendor)] | None = None
    seals: Annotated[list[Seal], Field(max_length=10)] = []
    # Of each seal the 13 digits that the police's system gave it: the set's filing is done.
    seal_codes: Annotated[list[SealCode], Field(max_length=10)] = []

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        errors = []
        if self.kind == Kind.SEAL_SET and self.holder != "cabinet":
            errors.append(("holder", "a seal set lies in a cabinet"))
        if self.kind == Kind.SEAL_SET and self.vendor_id is None:
            errors.append(("vendor_id", "a seal set names the vendor that loads it"))
        if self.kind != Kind.SEAL_SET and self.seals:
            errors.append(("seals", "only a seal set has seals"))
        if self.kind != Kind.SEAL_SET and self.seal_codes:
            errors.append(("seal_codes", "only a seal set has seal codes"))
        if self.seals and self.seal_codes and len(self.seals) != len(self.seal_codes):
            errors.append(("seal_codes", "must be one for each seal, or none"))
        if len(set(self.seal_codes)) < len(self.seal_codes):
            errors.append(("seal_codes", "names one code twice"))
        _raise(self, errors)
        return self


class Needs(_Part):
    reach: Literal["low"] | None = None


class OrderForm(_Part):
    order_no: Number
    site_id: Annotated[str, AfterValidator(_site)]
    company: Company
    recipients: Annotated[list[Recipient], Field(min_length=1, max_length=RECIPIENTS_MAX)]
    items: Annotated[list[Item], Field(min_length=1, max_length=ITEMS_MAX)]
    needs: Needs = Needs()

    @model_validator(mode="after")
    def _parts_fit(self, info: ValidationInfo) -> Self:
        machines = _known(info).machines.get(self.site_id)
        errors = []
        seen: set[str] = set()
        for position, item in enumerate(self.items):
            if item.item_id is not None and item.item_id in seen:
                errors.append((f"items[{position}].item_id", "is another item's id too"))
            if item.holder == "machine" and machines is not None and not machines:
                errors.append((f"items[{position}].holder", "this site has no licence machine"))
            seen |= {item.item_id} if item.item_id else set()
        phones = [recipient.phone for recipient in self.recipients]
        errors += [
            (f"recipients[{position}].phone", "is another recipient's phone too")
            for position, phone in enumerate(phones)
            if phone in phones[:position]
        ]
        _raise(self, errors)
        return self


def _raise(part: BaseModel, errors: list[tuple[str, str]]) -> None:
    if errors:
        raise ValidationError.from_exception_data(
            type(part).__name__,
            [
                InitErrorDetails(type=wrong(message), loc=(field,), input=None)
                for field, message in errors
            ],
        )


def read_form(body: Any, known: Known) -> OrderForm:
    """The order, written one way. FieldsRefused with every bad field by its dotted name."""
    try:
        return OrderForm.model_validate(body, context=known)
    except ValidationError as error:
        found = error.errors(include_input=False, include_context=False, include_url=False)
        raise FieldsRefused(
            [(dotted(each["loc"]), PLAIN.get(each["type"], each["msg"])) for each in found]
        ) from None


def dotted(loc: tuple[int | str, ...]) -> str:
    """`items[1].kind`."""
    name = ""
    for step in loc:
        name += f"[{step}]" if isinstance(step, int) else f".{step[:FIELD_NAME_MAX]}"
    return name.removeprefix(".") or "body"
