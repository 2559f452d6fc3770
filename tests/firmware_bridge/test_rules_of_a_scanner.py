"""Codes cut from a scanner's bytes: each row of the driver's rules."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controller.faults import LineDown
from firmware_bridge.lines import LineLost
from firmware_bridge.open import Bridge
from firmware_bridge.scanner import CODE_BYTES_MAX, CodeCutter, Presentations
from tests.firmware_bridge.jumping_loop import MemoryLine, loop_clock, play

CODE = "OW1:FT-0001:0123456789ABCDEFGHJKMNPQRS"
URL = "scanner+serial:///dev/ttyACM0?baud=9600"
texts = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=60)


def cut(data: bytes) -> list[str]:
    return CodeCutter().feed(data, 0.0)


@pytest.mark.parametrize("end", [b"\r", b"\n", b"\r\n", b"\r\n\r\n\n"])
def test_any_run_of_cr_and_lf_ends_a_code(end):
    assert cut(CODE.encode() + end + b"next" + end) == [CODE, "next"]


@pytest.mark.parametrize(
    ("suffix", "end"), [("cr", b"\r"), ("lf", b"\n"), ("crlf", b"\r\n"), ("none", b"")]
)
@pytest.mark.parametrize("size", [1, 2, 7, 200])
def test_every_suffix_in_reads_of_any_size(suffix, end, size):
    """Bytes of one code 1 ms apart; between two codes there is a person."""
    cutter, codes, at = CodeCutter(suffix=suffix), [], 0.0
    for code in (CODE, "OWL:7", "OWB:X"):
        sent = code.encode() + end
        for begin in range(0, len(sent), size):
            at += 0.001
            codes += cutter.feed(sent[begin : begin + size], at)
        at += 0.2
        codes += cutter.pause(at)
    assert codes == [CODE, "OWL:7", "OWB:X"]
    assert cutter.dropped == 0


def test_two_codes_in_one_read_are_two():
    assert cut(f"{CODE}\r\nOWL:7\r\n".encode()) == [CODE, "OWL:7"]


@pytest.mark.parametrize("noise", [b"\x00", b"\xff", b"\x02\x00\x00", "é".encode(), b"\x7f", b"\t"])
def test_a_line_with_any_other_byte_is_dropped_whole(noise):
    assert cut(b"OW1" + noise + b":X\rgood\r") == ["good"]


def test_a_code_of_512_bytes_is_taken_and_one_more_drops_it_up_to_its_end():
    longest = b"A" * CODE_BYTES_MAX
    assert cut(longest + b"\r") == [longest.decode()]
    assert cut(longest + b"A" + b"tail\rgood\r") == ["good"]


def test_a_line_that_never_ends_is_dropped_after_a_second():
    cutter = CodeCutter()
    assert cutter.feed(b"half", 10.0) == []
    assert cutter.due_at == 11.0
    assert cutter.feed(b"whole\r", 11.2) == ["whole"]
    assert cutter.dropped == 1


def test_noise_without_an_end_does_not_spoil_the_code_after_a_second():
    cutter = CodeCutter()
    cutter.feed(b"\xff\x00", 0.0)
    assert cutter.feed(b"good\r", 1.5) == ["good"]


def test_without_a_suffix_silence_ends_a_code():
    cutter = CodeCutter(suffix="none")
    assert cutter.feed(b"OW1:", 0.0) == []
    assert cutter.feed(b"X", 0.05) == []
    assert cutter.pause(0.1) == []
    assert cutter.pause(0.111) == ["OW1:X"]
    assert cutter.due_at is None


@given(st.lists(texts, max_size=5), st.data())
def test_codes_survive_any_chopping(sent, data):
    stream = "".join(text + "\r" for text in sent).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    cutter, heard = CodeCutter(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        heard += cutter.feed(stream[start:end], 0.0)
    assert heard == sent


@given(st.binary(max_size=4096))
def test_noise_never_grows_the_buffer_and_only_printable_codes_come_out(noise):
    cutter = CodeCutter()
    for code in cutter.feed(noise, 0.0):
        assert code.isascii()
        assert code.isprintable()
        assert 0 < len(code) <= CODE_BYTES_MAX
    assert len(cutter._held) <= CODE_BYTES_MAX


def test_a_code_held_before_the_scanner_is_one_presentation():
    seen = Presentations(2.0)
    assert [seen.is_new("a", at) for at in (0.0, 0.5, 2.4, 4.3)] == [True, False, False, False]
    assert seen.is_new("a", 6.4)


def test_another_text_ends_a_presentation_at_once():
    seen = Presentations(2.0)
    assert [seen.is_new(text, 0.1 * n) for n, text in enumerate("aabba")] == [
        True,
        False,
        True,
        False,
        True,
    ]


def test_a_scanner_s_own_word_is_no_code_and_ends_no_presentation():
    seen = Presentations(2.0)
    told = [seen.is_new(text, 0.1 * n) for n, text in enumerate(["a", "NG", "a", "?", "a"])]
    assert told == [True, False, False, False, False]


class Scanner:
    """Opens as a line that says these bytes, and is then unplugged."""

    def __init__(self, *said: bytes) -> None:
        self.said = list(said)
        self.lines = []

    async def __call__(self, place, _clock):
        if not self.said:
            raise LineLost(f"{place.key} is not there")
        line = MemoryLine(lambda _: [], place.char_s)
        self.lines.append(line)
        line.inject(self.said.pop(0))
        asyncio.get_running_loop().call_later(0.5, line.unplug)
        return line


def test_codes_come_until_the_scanner_is_unplugged_and_again_when_it_is_back():
    async def story():
        plugs = Scanner(b"one\rtwo\rtwo\rhalf a co", b"de\rthree\r")
        scanner = Bridge(loop_clock(), opener=plugs).code_reader(URL, "S1")
        heard = []

        async def listen():
            async for code in scanner.codes():
                heard.append(code)  # noqa: PERF401 - what came before the line went must stay

        for _ in plugs.said.copy():
            with pytest.raises(LineDown, match="S1: unplugged"):
                await listen()
        with pytest.raises(LineDown, match="S1: /dev/ttyACM0 is not there"):
            await anext(scanner.codes())
        assert heard == ["one", "two", "de", "three"]
        assert all(line.closed for line in plugs.lines)

    play(story())


def test_a_scanner_without_suffix_is_read_by_its_pauses():
    async def story():
        scanner = Bridge(loop_clock(), opener=Scanner(b"OW1:X")).code_reader(
            URL + "&suffix=none", "S1"
        )
        codes = scanner.codes()
        assert await anext(codes) == "OW1:X"
        assert asyncio.get_running_loop().time() == pytest.approx(0.06)
        await codes.aclose()

    play(story())
