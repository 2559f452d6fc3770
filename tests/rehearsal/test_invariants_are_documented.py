"""docs/invariants.md says what the rehearsal checks, in the same words."""

from pathlib import Path

from simulator.rehearsal.invariants import REGISTRY

TEXT = (Path(__file__).parent.parent.parent / "docs" / "invariants.md").read_text("utf-8")


def test_every_invariant_that_is_checked_stands_in_the_document() -> None:
    lines = [line for line in TEXT.splitlines() if line.startswith("- **I")]
    told = [f"- **{each.id}** {each.sentence}" for each in sorted(REGISTRY, key=number)]
    assert lines == told


def test_every_invariant_has_a_number_a_sentence_and_events() -> None:
    for each in REGISTRY:
        assert each.id[1:].isdigit()
        assert each.sentence.endswith(".")
        assert each.on


def number(each) -> tuple[int, str]:
    return int(each.id[1:]), each.sentence
