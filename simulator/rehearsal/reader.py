"""Reads whatever others may read, and knows everything that they must never find there."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Final

WORD: Final = re.compile(r"[0-9A-Za-z]{8,}|[\u4e00-\u9fff]{3,}")
HASH: Final = re.compile(r"[0-9a-f]{64}")
TYPED: Final = 8  # digits; in a longer number of letters too they say nothing
MUCH: Final = 1 << 20  # characters that are kept before they are searched


class Reader:
    """`secrets` may grow meanwhile; nothing is said before it is in there."""

    def __init__(self, secrets: Collection[str]) -> None:
        self.characters = 0  # read so far
        self._secrets = secrets
        self._texts: defaultdict[str, list[str]] = defaultdict(list)
        self._kept = 0

    def read(self, where: str, text: str) -> Iterator[tuple[str, str]]:
        """What was found; mostly nothing, since much is read at once."""
        self._texts[where].append(text)
        self._kept += len(text)
        self.characters += len(text)
        return self.search() if self._kept > MUCH else iter(())

    def search(self) -> Iterator[tuple[str, str]]:
        """Of what kind, and where."""
        lengths = sorted({len(each) for each in self._secrets})
        for where, texts in self._texts.items():
            words = set(WORD.findall("\n".join(texts)))
            found = {kind for word in words for kind in self._inside(word, lengths)}
            yield from ((kind, where) for kind in sorted(found))
        self._texts.clear()
        self._kept = 0

    def _inside(self, word: str, lengths: list[int]) -> Iterator[str]:
        if HASH.fullmatch(word):
            lengths = [len(word)]
        for length in lengths:
            if length == TYPED and not word.isdigit():
                continue
            for start in range(len(word) - length + 1):
                if word[start : start + length] in self._secrets:
                    yield _kind(word[start : start + length])


def _kind(secret: str) -> str:
    """What it is; never itself."""
    if not secret.isascii():
        return "a name"
    return f"a secret of {len(secret)} {'digits' if secret.isdigit() else 'signs'}"
