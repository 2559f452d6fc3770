"""Every sabotage still fits the code; a few of them are tried, `script/sabotage` tries all."""

import re
import subprocess
import sys
from collections import Counter

import pytest

from script.sabotages import ROOT, all_of, applies, read

TRIED = ("00-", "01-", "02-", "05-", "08-", "09-", "27-", "28-", "36-", "39-", "54-", "88-", "104-")
# What no town is without: the first of it is noticed, whatever else its seed brings.
SEEN_IN_EVERY_TOWN = ("01-", "02-", "10-a-code-is", "21-", "81-")


@pytest.mark.parametrize("sabotage", all_of(), ids=lambda each: each.name)
def test_every_sabotage_still_applies(sabotage):
    assert applies(sabotage, ROOT, "--check") == ""


@pytest.mark.parametrize("sabotage", all_of(), ids=lambda each: each.name)
def test_what_a_sabotage_takes_away_stands_in_one_place_only(sabotage):
    patch = sabotage.path.read_text("utf-8")
    for part in re.split(r"^--- a/", patch, flags=re.MULTILINE)[1:]:
        code = "\n" + (ROOT / part.partition("\n")[0]).read_text("utf-8")
        for hunk in re.split(r"^@@ .*\n", part, flags=re.MULTILINE)[1:]:
            gone = [line[1:] for line in hunk.splitlines() if line[:1] in ("-", " ")]
            assert code.count("\n" + "\n".join(gone) + "\n") == 1, gone


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


def test_each_names_a_test_that_is_there_and_has_a_name_of_its_own():
    names = Counter(each.name for each in all_of())
    assert names.most_common(1)[0][1] == 1
    for each in all_of():
        file, _, test = each.test[0].partition("::")
        text = (ROOT / file).read_text("utf-8")
        assert f"def {test.partition('[')[0]}(" in text or not test, each.name


@pytest.mark.timeout(400)
def test_a_test_notices_what_was_broken():
    command = [sys.executable, "-m", "script.sabotages", "--at-once", "1", *TRIED]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=390
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(TRIED)} of {len(TRIED)} as they should be" in done.stdout


@pytest.mark.timeout(400)
def test_the_rehearsal_notices_what_was_broken():
    asked = ["--rehearsal", "--seeds", "3", "--at-once", "1", *SEEN_IN_EVERY_TOWN]
    command = [sys.executable, "-m", "script.sabotages", *asked]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=390
    )
    assert done.returncode == 0, done.stdout + done.stderr
    wanted = len(SEEN_IN_EVERY_TOWN)
    assert f"{wanted} of {wanted} as they should be" in done.stdout
