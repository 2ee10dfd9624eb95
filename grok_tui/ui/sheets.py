"""What stands below the compare screen's charts: when each run got where, where it is, its phases, what differs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from grok_tui import comparing, effects, references, ways, wording
from grok_tui.aligning import START, branched
from grok_tui.crossings import CHANCE
from grok_tui.ui import kinship
from grok_tui.ui.members import Member
from grok_tui.ui.overlaid import Comparison
from grok_tui.ui.panes import phase as phases
from grok_tui.ui.widgets import ribbon
from grok_tui.ui.widgets.cells import BOLD, REVERSE, Cells, Token, cut, wrap
from grok_tui.ui.widgets.grid import CellGrid

GAP = 2
"""Columns between two of a table."""

NAME = 24
"""Letters of a run's name in a table, at most."""

LEAST = 8
"""Columns of words that stand last in a table, at least."""

OWN = "test < its ln p", "<ln p"
"""Heads of the column that tells of chance, where that is not the same in all runs."""

WORDS = frozenset({"keys"})
"""Columns of a table that hold words, and no numbers."""

BESIDE = 11
"""Columns right of a ribbon for its run's name: as many as charts have for their values."""

SEVERAL = 98
"""Columns of a screen from which charts stand beside each other, and no ribbon shares one's columns."""

Text = tuple[str, int]
"""A text and its style."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One of the things that can stand there."""

    name: str
    draw: Callable[[Comparison, int], Cells]
    """In so many columns, in as many rows as it takes; none when it has nothing to say."""
    along: bool = False
    """It shares the charts' axis, and the cursor."""


class Lower(CellGrid):
    """As many sheets as there is room for, from the chosen one on."""

    sheets: tuple[Cells, ...] = ()

    def show(self, sheets: Sequence[Cells]) -> None:
        """Draw these."""
        self.sheets = tuple(sheets)
        self.redraw()

    def draw(self, width: int, height: int) -> Cells:
        cells = Cells(width, height)
        y = 0
        for sheet in self.sheets:
            if y and y + min(sheet.height, 2) > height:
                break
            cells.put(0, y, sheet)
            if y + sheet.height > height and height:
                cells.text(0, height - 1, cut("… m shows more", width).ljust(width), Token.MUTED)
            y += sheet.height + 1
        return cells


def when(comparison: Comparison, width: int) -> Cells:
    """When each run got where."""
    columns = [column for column in comparing.COLUMNS if column.when]
    if len({member.state.modulus for member in comparison.members if member.state.modulus}) > 1:
        long, short = OWN
        columns = [replace(c, title=long, short=short) if c.level is CHANCE else c for c in columns]
    head = "epoch" if comparison.alignment == START else comparison.alignment.label
    return _table(comparison, width, columns, (head, head.replace("epochs ", "")))


def where(comparison: Comparison, width: int) -> Cells:
    """Where each run is now."""
    columns = [column for column in comparing.COLUMNS if not column.when]
    return _table(comparison, width, columns, ("now",), standing=True)


def ribbons(comparison: Comparison, width: int) -> Cells:
    """The phases of each run, one below the other."""
    zeros, axis = comparison.zeros(), comparison.epochs
    cells = Cells(width, len(zeros) + 1 if zeros else 0)
    names = max((len(member.run.name) for member in zeros), default=0) + 1
    beside = min(max(names, BESIDE), width // 4) if width >= SEVERAL else BESIDE
    room = width - beside if width >= 60 else width
    for y, (member, zero) in enumerate(zeros.items()):
        bands = tuple(replace(b, start=b.start - zero, end=b.end - zero) for b in phases.bands(member.state))
        changes = tuple(event.epoch - zero for event in member.state.changes())
        last = y + 1 == len(zeros)
        strip = ribbon.Strip(axis, bands, changes, comparison.cursor if last else None)
        cells.put(0, y, ribbon.picture(strip, room, 1 + last))
        cells.text(0, y, f"{member.sign} {member.stroke.sample}", comparison.style(member) | BOLD)
        cells.text(room + 1, y, _tail(member.run.name, width - room - 1), comparison.style(member))
    return cells


def differing(comparison: Comparison, width: int) -> Cells:
    """Only what differs in how the runs were made."""
    members = [member for member in comparison.members if member.state.hello]
    if len(members) < 2:
        return Cells(width, 0)
    found = comparing.differences([member.state for member in members])
    rows: list[list[Text]] = [[("what differs", Token.TEXT | BOLD)]]
    rows[0] += [(f"{m.sign} {cut(m.run.name, NAME)}", comparison.style(m) | BOLD) for m in members]
    for each in found:
        rows.append([(each.name, Token.MUTED)])
        rows[-1] += [(value, comparison.style(m)) for value, m in zip(each.values, members, strict=True)]
    if not found:
        rows = [[("the configurations do not differ", Token.MUTED)]]
    if _width(rows) > width:
        rows = [list(row) for row in zip(*rows, strict=True)]
    return _laid(rows if _width(rows) <= width else _listed(rows, width), width)


def _listed(rows: Sequence[Sequence[Text]], width: int) -> list[list[Text]]:
    """A table that is too wide, with a row for each run: beside it all of that, over as many lines as it takes."""
    head, *runs = rows
    found: list[list[Text]] = [[head[0], ("", 0)]]
    room = max(width - max(len(name) for (name, _), *_ in rows) - GAP, LEAST)
    for name, *values in runs:
        said = "; ".join(f"{key} {value}" for (key, _), (value, _) in zip(head[1:], values, strict=True))
        for line in wrap(said, room):
            found.append([name, (line, values[0][1])])
            name = ("", 0)
    return found


def causes(comparison: Comparison, width: int) -> Cells:
    """What each branch's change did, where its parent is here too; of another run, against one without the change."""
    lines: list[Text] = []
    found = [(child, f"its parent {parent.sign}", effects.of(child.state, parent.state, since))
             for child, parent, since in pairs(comparison.members)]  # fmt: skip
    for child, whose, told in found + _without(comparison.members, {child for child, *_ in found}):
        style = comparison.style(child)
        cause = wrap(f"{child.sign} against {whose}, {told.cause}", width)
        lines += [(text, style | BOLD) for text in cause]
        lines += [(f"  {text}", Token.TEXT) for text in wrap(told.sentence, width - 2)]
        lines += [(f"  {text}", Token.MUTED) for each in told.caveats for text in wrap(each, width - 2)]
    cells = Cells(width, len(lines))
    for y, (text, style) in enumerate(lines):
        cells.text(0, y, text, style)
    return cells


def _without(members: Sequence[Member], told: set[Member]) -> list[tuple[Member, str, effects.Effect]]:
    """What changes did in runs that are no branches of others here, where one without the change is here too."""
    known = [member for member in members if member.state.hello]
    states, found = [member.state for member in known], []
    for i, member in enumerate(known):
        ref = references.of(states, i) if member not in told else None
        if ref is not None and ref.same:
            other = known[ref.place]
            did = references.effect(member.state, other.state, other.run.name, ref.since)
            found.append((member, f"{other.sign}, which is without its change and equal up to there", did))
    return found


SHEETS = (
    Sheet("when", when),
    Sheet("where", where),
    Sheet("phases", ribbons, along=True),
    Sheet("differences", differing),
    Sheet("effects", causes),
)


def notes(comparison: Comparison, width: int) -> Cells:
    """Runs that cannot be drawn, and why; no rows when all can."""
    lines = []
    for member in comparison.members:
        if member.trouble:
            lines.append(f"{member.sign} {member.run.name} cannot be read: {member.trouble}")
        elif member.read.is_set() and member.state.hello is None:
            lines.append(f"{member.sign} {member.run.name}: nothing is recorded yet")
        elif member in comparison.lacking:
            lines.append(f"{member.sign} {member.run.name} {comparison.alignment.lacking}: it is not drawn")
        elif member.source.note:
            lines.append(f"{member.sign} {member.run.name}: {member.source.note}")
    cells = Cells(width, len(lines))
    for y, text in enumerate(lines):
        cells.text(0, y, cut(text, width), Token.WARN)
    return cells


def pairs(members: Sequence[Member]) -> list[tuple[Member, Member, int]]:
    """(branch, parent, epoch) of every branch whose parent is compared too."""
    known = [member for member in members if member.state.hello]
    parents = kinship.parents(known)
    at = {i: branched(known[i].state) for i in parents}
    return [(known[i], known[above], since) for i, above in parents.items() if (since := at[i]) is not None]


def _table(
    comparison: Comparison,
    width: int,
    columns: Sequence[comparing.Column],
    heads: Sequence[str],
    standing: bool = False,
) -> Cells:
    """A row for each run: its number and stroke, its name, and what the columns say."""
    zeros = comparison.zeros()
    head: list[Text] = [("", 0), (heads[0], Token.TEXT | BOLD)]
    head += [("state", Token.MUTED)] if standing else []
    rows = [head + [(column.title or column.head, Token.MUTED) for column in columns]]
    for member in comparison.members:
        zero = zeros.get(member, 0 if standing else None)
        style = comparison.style(member)
        out = style | (REVERSE if comparison.emphasis is member else 0)
        row: list[Text] = [(f"{member.sign} {member.stroke.sample}", out | BOLD), (cut(member.run.name, NAME), out)]
        if standing:
            mark = wording.MARKS[member.standing]
            row.append((f"{mark} {member.standing}", style))
        known = _cells(comparison, member, zero) if zero is not None and member.state.hello else {}
        rows.append(row + [(known.get(column.head, ways.NONE), style) for column in columns])
    short = [[("", 0), (heads[-1], Token.TEXT | BOLD), *rows[0][2:]], *rows[1:]]
    for x, column in enumerate(columns, len(head)):
        short[0][x] = (column.short, Token.MUTED)
    right = [x for x, column in enumerate(columns, len(head)) if column.head not in WORDS]
    spare = {x: column.spare for x, column in enumerate(columns, len(head)) if column.spare}
    return _fitted((rows, short), width, right, spare)


def _fitted(
    ways: Sequence[Sequence[Sequence[Text]]], width: int, right: Sequence[int], spare: Mapping[int, int]
) -> Cells:
    """A table that has no room gives up long heads, then the space between columns, then those that can be spared."""
    order = sorted(spare, key=lambda x: -spare[x])
    for dropped in range(len(order) + 1):
        kept = [x for x in range(len(ways[0][0])) if x not in order[:dropped]]
        places = frozenset(y for y, x in enumerate(kept) if x in right)
        room = width - 2 * bool(dropped)
        for rows, gap, cutting in TRIED:
            shown = [[row[x] for x in kept] for row in ways[rows]]
            if _least(shown, places, gap, cutting=cutting) <= room:
                break
        else:
            continue
        break
    cells = _laid(shown, room, places, gap)
    if not dropped:
        return cells
    whole = Cells(width, cells.height)
    whole.put(0, 0, cells)
    whole.text(width - 1, 0, "…", Token.MUTED)
    return whole


TRIED = ((0, GAP, False), (1, GAP, False), (1, 1, False), (1, GAP, True), (1, 1, True))
"""Ways to lay out a table: which heads, so much space between columns, and whether words at its end are cut."""


def _least(rows: Sequence[Sequence[Text]], right: frozenset[int], gap: int, *, cutting: bool) -> int:
    """Columns that a table needs; the last one, when it holds words, may be cut between them."""
    widths = _widths(rows)
    last = min(widths[-1], LEAST) if cutting and len(widths) - 1 not in right else widths[-1]
    return sum(widths[:-1]) + last + gap * (len(widths) - 1)


def _cells(comparison: Comparison, member: Member, zero: int) -> dict[str, str]:
    branches = comparison.kinship.branches(member)
    key = ("cells", zero, *(each.state.derived("stamp", object) for each in branches))
    return member.state.derived(key, lambda: comparing.cells(member.state, zero, branches))


def _width(rows: Sequence[Sequence[Text]]) -> int:
    return sum(_widths(rows)) + GAP * (len(rows[0]) - 1)


def _widths(rows: Sequence[Sequence[Text]]) -> list[int]:
    return [max(len(row[x][0]) for row in rows if x < len(row)) for x in range(len(rows[0]))]


def _laid(rows: Sequence[Sequence[Text]], width: int, right: frozenset[int] = frozenset(), gap: int = GAP) -> Cells:
    """Rows with aligned columns; where there is no room for the last ones, a sign says that there are more."""
    widths = _widths(rows)
    cells = Cells(width, len(rows))
    x = 0
    for column, wide in enumerate(widths):
        if x + wide > width and column:
            for y, row in enumerate(rows):  # what is left of it, rather than nothing
                cells.text(x, y, _worded(row[column][0], width - x), row[column][1])
            if column + 1 < len(widths):
                cells.text(width - 1, 0, "…", Token.MUTED)
            break
        for y, row in enumerate(rows):
            text, style = row[column]
            cells.text(x + (wide - len(text) if column in right else 0), y, text, style)
        x += wide + gap
    return cells


def _worded(text: str, width: int) -> str:
    """As much of a text as there is room for, in whole words: half a number is another number."""
    if len(text) <= width:
        return text
    kept = text[: max(width - 1, 0)].rpartition(" ")[0].rstrip(" ,")
    return f"{kept} …" if kept else cut("…", width)


def _tail(name: str, width: int) -> str:
    """A run's name; where it has no room, its end, which tells runs of one preset apart."""
    return name if len(name) <= width else f"…{name[len(name) - width + 1 :]}" if width > 0 else ""
