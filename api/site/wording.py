"""The kiosk's words: a text's key and its values become a sentence in the visitor's language."""

from collections.abc import Mapping
from typing import Final

from markupsafe import Markup, escape

from api.pages import Lang, texts
from controller.entries import Kind
from controller.site.texts import Offer, Text

CONTEXT: Final = "kiosk"  # of the sentences in the catalogues; a key is no English sentence
TEL: Final = "tel"  # how a telephone number goes on inside a sentence
WHOLE: Final = Markup('<span class="nowrap">{}</span>')  # on one line
UNBROKEN: Final = frozenset({"case", "clock", "record", "until"})
KIND_NAMES: Final = {Kind.BUSINESS_LICENCE: "Business licence", Kind.SEAL_SET: "Seal set"}


def sentence(lang: Lang, key: str) -> str:
    """The text with its placeholders in braces."""
    return texts(lang).pgettext(CONTEXT, key)


def kind_name(lang: Lang, kind: str) -> str:
    """A kind of item that has no words of its own yet is shown by its name."""
    name = KIND_NAMES.get(Kind(kind)) if kind in set(Kind) else None
    return texts(lang).gettext(name) if name else kind


def say(lang: Lang, text: Text, values: Mapping[str, str | int]) -> str:
    return sentence(lang, text.value).format_map(_in_words(lang, values))


def say_offer(lang: Lang, offer: Offer, values: Mapping[str, str | int]) -> str:
    return sentence(lang, f"choose {offer.value}").format_map(_in_words(lang, values))


def say_markup(lang: Lang, text: Text, values: Mapping[str, str | int]) -> Markup:
    """The same for the page, where seconds are counted down and names and numbers stay whole."""
    words = _in_words(lang, values)
    if tel := values.get("tel"):
        words["tel"] = escape(sentence(lang, TEL)).format(tel=WHOLE.format(tel))
    for name in UNBROKEN.intersection(words):
        words[name] = WHOLE.format(words[name])
    if "company" in words:
        words["company"] = Markup("<bdi>{}</bdi>").format(words["company"])
    if "seconds" in words:
        words["seconds"] = Markup("<b data-seconds>{}</b>").format(words["seconds"])
    return escape(sentence(lang, text.value)).format_map(words)


def _in_words(lang: Lang, values: Mapping[str, str | int]) -> dict[str, str | int]:
    words = dict(values)
    if kinds := words.get("items"):
        joint = texts(lang).pgettext(CONTEXT, "and")
        words["items"] = joint.join(kind_name(lang, kind) for kind in str(kinds).split(","))
    if "why" in words:
        words["why"] = _why(lang, str(words["why"]))
    if "tel" in words:
        words["tel"] = sentence(lang, TEL).format(tel=words["tel"]) if words["tel"] else ""
    return words


def _why(lang: Lang, reason: str) -> str:
    """A reason that has no words of its own yet is shown by its name."""
    key = f"why {reason}"
    words = sentence(lang, key)
    return words if words != key else reason.replace("_", " ")
