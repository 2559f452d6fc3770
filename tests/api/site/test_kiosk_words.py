import re
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from api.pages import LANGS, as_lang, texts
from api.site.screen import CONFIRM_SAYS, TAKEN_SAYS
from api.site.wording import CONTEXT, KIND_NAMES, say, say_markup, say_offer, sentence
from controller.site.texts import OFFER_VALUES, VALUES, Offer, Text
from tests.api.site.kiosk_scenes import EXAMPLES

ROOT = Path(__file__).parents[3]
TEMPLATES = ROOT / "api" / "templates"
OURS = ("base.html", "demo.html", "kiosk")
CHINESE = re.compile("[\u4e00-\u9fff]")


def names(words):
    return {name for _, name, _, _ in Formatter().parse(words) if name}


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("text", list(Text))
def test_every_text_has_words_that_use_just_its_values(text, lang):
    words = sentence(lang, text)
    assert words != text
    assert names(words) <= VALUES[text]
    assert bool(CHINESE.search(words)) == (lang == "zh-CN")
    said = say(lang, text, {name: EXAMPLES[name] for name in VALUES[text]})
    assert "{" not in said


@pytest.mark.parametrize("text", list(Text))
def test_both_languages_tell_the_same_values(text):
    assert names(sentence("zh-CN", text)) == names(sentence("en", text))


@pytest.mark.parametrize("offer", list(Offer))
def test_every_choice_has_words_in_both_languages_that_use_just_its_values(offer):
    for lang in LANGS:
        key = f"choose {offer}"
        assert sentence(lang, key) != key
        assert names(sentence(lang, key)) <= OFFER_VALUES[offer]
        assert say_offer(lang, offer, {name: EXAMPLES[name] for name in OFFER_VALUES[offer]})


@pytest.mark.parametrize("lang", LANGS)
def test_a_reason_without_words_is_shown_by_its_name(lang):
    said = say_offer(lang, Offer.SETTLE_PLACE, {"compartment": "A07", "why": "item_gone"})
    assert "item gone" in said
    known = say_offer(lang, Offer.SETTLE_PLACE, {"compartment": "A07", "why": "item_left"})
    assert "item" not in known or lang == "en"


@pytest.mark.parametrize("lang", LANGS)
def test_a_site_without_a_telephone_number_still_says_a_whole_sentence(lang):
    said = say(lang, Text.STUCK, {"compartment": "A07", "tel": "", "case": "FT-0001-9"})
    assert "FT-0001-9" in said
    assert not re.search(r"电话|tel\.|\(\)", said)


def test_a_company_name_cannot_write_into_the_page():
    said = say_markup("en", Text.CONFIRM, {"company": "<b>&", "items": "seal_set"})
    assert "&lt;b&gt;&amp;" in said


def test_an_item_of_a_kind_without_words_is_named_by_its_kind():
    values = {"company": "x", "items": "tax_device,seal_set"}
    assert "tax_device and Seal set" in say("en", Text.CONFIRM, values)


def messages_of_templates():
    found = set()
    options = {"**.html": {"trimmed": "false"}}
    for name, _line, message, _comments, _context in extract_from_dir(
        str(TEMPLATES), [("**.html", "jinja2")], options_map=options
    ):
        if name.startswith(OURS) and isinstance(message, str):
            found.add(message)
    return found


def test_every_message_of_the_kiosk_and_the_demo_is_in_chinese():
    wanted = messages_of_templates() | set(CONFIRM_SAYS.values()) | set(TAKEN_SAYS.values())
    wanted |= set(KIND_NAMES.values())
    assert len(wanted) > 60
    missing = {each for each in wanted if texts("zh-CN").gettext(each) == each}
    assert missing == set()


@pytest.mark.parametrize("path", sorted((ROOT / "api" / "translations").rglob("*.po")), ids=str)
def test_a_catalogue_is_whole(path):
    with path.open("rb") as file:
        catalog = read_po(file, abort_invalid=True)
    for message in catalog:
        if not message.id:
            continue
        assert message.string, message.id
        assert not message.fuzzy, message.id
        if message.context != CONTEXT:
            placed = re.compile(r"%\(\w+\)s|\{\w+\}")
            assert set(placed.findall(str(message.id))) == set(placed.findall(str(message.string)))


@pytest.mark.parametrize(
    ("tag", "lang"),
    [("zh", "zh-CN"), ("zh-Hans-CN", "zh-CN"), ("en-GB", "en"), ("EN", "en"), ("fr", None)],
)
def test_a_language_tag_finds_our_language(tag, lang):
    assert as_lang(tag) == lang
