import pytest

from script.sabotages import ROOT, all_of, applies, read


@pytest.mark.parametrize("sabotage", all_of(), ids=lambda each: each.name)
def test_every_sabotage_still_applies(sabotage):
    assert applies(sabotage, ROOT, "--check") == ""


def test_there_is_an_empty_one_and_a_canary():
    expected = {each.name: each.expect for each in all_of()}
    assert expected["00-empty"] == "green"
    assert expected["01-canary"] == "red"
    assert list(expected.values()).count("green") == 1


def test_a_patch_that_names_no_test_is_refused(tmp_path):
    patch = tmp_path / "02-x.patch"
    patch.write_text("# expect: red\n--- a/x\n+++ b/x\n")
    with pytest.raises(ValueError, match=r"02-x\.patch"):
        read(patch)


def test_a_patch_that_fits_nothing_does_not_apply(tmp_path):
    patch = tmp_path / "02-x.patch"
    patch.write_text(
        "# test: tests\n# expect: red\n--- a/README.md\n+++ b/README.md\n"
        "@@ -1 +1 @@\n-no such line anywhere\n+x\n"
    )
    assert applies(read(patch), ROOT, "--check")
