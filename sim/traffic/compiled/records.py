"""What a compiled engine puts on record while it plays: notes about breakers and rotations, marks about traced requests.

The rule that surprises: the kernel writes both into tables of fixed size and stops before one is full; whoever lets it go on has to empty
them first.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sim.traffic import Note
from sim.traffic.compiled import layout as at
from sim.traffic.compiled.tables import Tables
from sim.traffic.marks import ENTERED, Mark
from sim.traffic.noted import NOTE_KINDS

_ROOM_FOR_MARKS = 8192


@dataclass(slots=True)
class Records:
    """Everything that was put on record and has not been taken yet."""

    tables: Tables
    notes: list[Note] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)

    def trace(self, flow: int, every: int) -> None:
        """Let every so manyth request of a flow be traced; the table of marks is made when it is first needed."""
        arena = self.tables.arena
        if every and not arena.word[at.H_MARKS]:
            marks = arena.take(_ROOM_FOR_MARKS * at.MARK_WORDS)
            arena.word[at.H_MARKS] = marks
            arena.word[at.H_MARK_LIMIT] = _ROOM_FOR_MARKS - 4 * arena.word[at.H_RESERVE]
        arena.word[self.tables.flows[flow] + at.F_TRACE_EVERY] = every

    def collect(self) -> None:
        """Empty the tables of the kernel."""
        word = self.tables.arena.word
        if word[at.H_NOTES_COUNT]:
            self._collect_notes()
        if word[at.H_MARK_COUNT]:
            self._collect_marks()

    def _collect_notes(self) -> None:
        word, real = self.tables.arena.word, self.tables.arena.real
        first, count = word[at.H_NOTES], word[at.H_NOTES_COUNT]
        for place in range(first, first + count * at.NOTE_WORDS, at.NOTE_WORDS):
            number, instance = word[place + 2], word[place + 3]
            member = self.tables.instances[number].index(instance) if instance else -1
            self.notes.append(Note(real[place], NOTE_KINDS[word[place + 1]], number, member))
        word[at.H_NOTES_COUNT] = 0

    def _collect_marks(self) -> None:
        tables, word = self.tables, self.tables.arena.word
        first, end = word[at.H_MARKS], word[at.H_MARKS] + word[at.H_MARK_COUNT] * at.MARK_WORDS
        places = {record: (number, n) for number, row in enumerate(tables.instances) for n, record in enumerate(row)}
        flows = {record: number for number, record in enumerate(tables.flows)}
        rows = tables.arena.words[first:end].reshape(-1, at.MARK_WORDS).tolist()
        times = tables.arena.reals[first : end : at.MARK_WORDS].tolist()
        for t, (_, kind, root, sequence, parent, subject, instance, number, outcome) in zip(times, rows, strict=True):
            edge = flows[subject] if kind == ENTERED else (subject - tables.edges) // at.EDGE_WORDS if subject else -1
            self.marks.append(Mark(t, kind, root, sequence, parent, edge, *places.get(instance, (-1, -1)), number, outcome))
        word[at.H_MARK_COUNT] = 0
