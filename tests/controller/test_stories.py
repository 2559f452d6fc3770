"""What `onewindow explain` tells, sentence by sentence, in both languages."""

from pathlib import Path

import pytest

from controller.entries import Down, Up
from controller.story import Sentence, merged, story_of_door, story_of_order
from controller.story_words import LANGS, SENTENCES, STATES, WORDS, Lang
from tests.controller.story_cases import CASES, MORNING, ORDER, Life

GOLDEN = Path(__file__).with_name("stories")
NOT_TOLD = {  # of no order and no door
    Down.BADGE_GRANTED,
    Down.BADGE_REVOKED,
    Up.SITE_STARTED,
    Down.SETTINGS_CHANGED,
    Up.SETTINGS_TAKEN,
    Up.CLOCK_CONFIRMED,
    Up.DAY_RECKONED,
    Up.PICKUP_REFUSED,
    Up.HOLD_ENDED,
}


def told(life: Life, lang: Lang) -> list[Sentence]:
    entries = merged(life.up_entries, life.down_entries)
    if life.door:
        return story_of_door(entries, life.door, lang)
    return story_of_order(entries, ORDER, lang)


def written(lang: Lang) -> str:
    """All cases as they stand in the golden file."""
    parts = []
    for name, make in CASES.items():
        lines = [
            f"{each.number:>8}  {each.at:19}  {each.words}".rstrip() for each in told(make(), lang)
        ]
        parts.append("\n".join([f"## {name}", *lines]))
    return "\n\n".join(parts) + "\n"


@pytest.mark.parametrize("lang", LANGS)
def test_every_case_is_told_in_the_words_that_were_read_and_found_good(lang: Lang):
    assert written(lang) == (GOLDEN / f"{lang}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", [*Down, *Up])
def test_every_kind_of_entry_about_an_order_or_a_door_has_words(kind: Down | Up):
    known = {key.partition("/")[0] for key in SENTENCES}
    assert (kind.value in known) != (kind in NOT_TOLD)


def test_both_languages_say_the_same_values():
    for words in (*SENTENCES.values(), *STATES.values()):
        zh, en = (set(_values(each)) for each in words)
        assert zh == en, words
    assert all(zh and en for zh, en in WORDS.values())


def _values(words: str) -> list[str]:
    return [part.partition("}")[0] for part in words.split("{")[1:]]


def test_nothing_is_told_of_an_order_that_the_journal_does_not_know():
    assert story_of_order(Life().placed().up_entries, "N9", "en") == []


def test_two_journals_are_read_in_the_order_of_time_and_each_in_its_own():
    life = Life().placed().loaded()
    life.now = MORNING  # the site's clock was set back
    life.door_is("opened").down("order.cancelled", order=ORDER, reason="x")
    both = list(merged(life.up_entries, life.down_entries))
    assert [each.seq for each in both if each.stream == "up"] == list(
        range(1, len(life.up_entries) + 1)
    )
    assert both[0].kind == "order.placed"
    assert len(both) == len(life.up_entries) + len(life.down_entries)
