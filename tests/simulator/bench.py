"""One licence machine on an RTU line, and the hand that moves its time."""

from functools import reduce
from operator import xor

from simulator import modbus
from simulator.devices.licence_machine import LicenceMachine
from simulator.devices.licence_registers import Outcome
from simulator.lines import Wire
from simulator.plan import LinePlan, MachinePlan
from simulator.timeline import Timeline

STORING = MachinePlan("M1", "127.0.0.1", 0, kind="store", slots=60)
PRINTING = MachinePlan("M1", "127.0.0.1", 0, kind="print", blanks=6)


class Bench:
    """One machine on an RTU line, and the hand that moves its time."""

    def __init__(self, plan=STORING, memory=None, now=0.0):
        self.timeline = Timeline(now)
        self.kept = []
        self.machine = LicenceMachine(
            plan, self.timeline, keep=lambda: self.kept.append(self.inside.memory())
        )
        self.inside = self.machine.inside
        if memory:
            self.inside.recall(memory)
        self.inside.power_up()
        self.wire = Wire(LinePlan("X", 115_200), [self.machine], self.timeline, seed=1)

    def started(self):
        self.later(2.0)
        return self

    def later(self, seconds):
        self.timeline.advance(self.timeline.now + seconds)

    def rtu(self, text):
        pieces = self.wire.ask(bytes.fromhex(text), self.timeline.now)
        return b"".join(piece for _, piece in pieces).hex(" ").upper()

    def send(self, seq, op, arg1=0, arg2=0):
        """None when remembered, else the exception's code."""
        words = [seq, op, arg1, arg2, 0]
        words.append(reduce(xor, words, 0x5AA5))
        pdu = bytes.fromhex("10 01 00 00 06 0C") + modbus.packed_words(words)
        answer = self.machine.answer(pdu)
        return None if answer == pdu[:5] else answer[1]

    def ended(self):
        last = self.inside.last
        return (Outcome(last.outcome), int(last.detail))
