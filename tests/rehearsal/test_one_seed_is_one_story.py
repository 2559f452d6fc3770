"""What a seed says happens on every machine, whatever else differs there."""

import os
import subprocess
import sys

import pytest

ASKED = ("--days", "2", "--seed", "5", "--faults", "none")


def told(*asked: str, hash_seed: str) -> str:
    played = subprocess.run(
        [sys.executable, "-m", "onewindow", "rehearse", *asked],
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    return played.stdout.partition("hash ")[2].strip()


@pytest.mark.timeout(200)
def test_the_same_seed_gives_the_same_hash_in_two_processes() -> None:
    one, other = (told(*ASKED, hash_seed=each) for each in ("1", "2"))
    assert len(one) == 64
    assert one == other
