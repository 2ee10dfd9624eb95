"""Every key, once. Feeds the bindings, the bottom line, the help screen, the palette and the README."""

from __future__ import annotations

from dataclasses import dataclass, field

from textual.binding import Binding, BindingType


@dataclass(frozen=True, slots=True)
class Key:
    """One row of the table: a key, or a few that belong together."""

    shown: str
    """As people write it, e.g. "+ ]"."""
    does: tuple[tuple[str, str], ...]
    """(Textual's name of the key, action) for each key of the row."""
    label: str
    """Two words, for the bottom line."""
    about: str
    """A sentence, for help, palette and README."""
    group: str
    hint: int = 0
    """Place in the bottom line, which drops the highest numbers first; 0 is not shown there."""
    needs: str = ""
    """"steer": only while the run can be steered. "pause": the same, or in a replay. "resume": only when it has ended
    early. "replay": only in a replay. "write": it changes a run
    in another way, or makes one, which a viewer that only looks may not. `screens.guarded` asks."""
    palette: tuple[tuple[str, str], ...] = field(default=())
    """(title, action) in the palette, where the row holds more than one thing to do; else its label."""

    @property
    def first(self) -> str:
        """The first key of the row, for the bottom line."""
        return self.shown.split()[0]

    @property
    def bindings(self) -> list[Binding]:
        """One Textual binding for each key; kept out of Textual's own footer."""
        return [Binding(key, action, self.label, show=False, tooltip=self.about) for key, action in self.does]

    @property
    def offers(self) -> tuple[tuple[str, str], ...]:
        """(title, action) of everything it does, for the palette."""
        return self.palette or ((self.label, self.does[0][1]),)


def _one(shown: str, key: str, action: str, label: str, about: str, group: str, **more: object) -> Key:
    return Key(shown, ((key, action),), label, about, group, **more)  # type: ignore[arg-type]


_STEP_UP = "step('weight_decay', 2.0)"
_STEP_DOWN = "step('weight_decay', 0.5)"
PLACES = 9
"""Panes in a layout, at most: a number for each."""

RUNS = "Runs at home"
"""The group of the keys that are about the run under the bar."""

RUN_KEYS: tuple[Key, ...] = (
    Key(
        "q",
        (("q", "leave"), ("ctrl+c", "leave")),
        "Leave",
        "Leave; the run goes on without a viewer. ctrl+c does the same",
        "The run",
        hint=1,
        palette=(("Leave, the run goes on", "leave"),),
    ),
    _one(
        "S",
        "S",
        "stop",
        "Stop",
        "Stop the run and save a resume point; asks first",
        "The run",
        hint=7,
        needs="steer",
        palette=(("Stop the run", "stop"),),
    ),
    _one(
        "p",
        "p",
        "pause",
        "Pause",
        "Pause the training, or continue it; in a replay, the replay",
        "The run",
        hint=3,
        needs="pause",
        palette=(("Pause or continue the training", "pause"),),
    ),
    _one(
        "k",
        "k",
        "checkpoint",
        "Keep",
        "Keep a resume point now: weights and optimiser state",
        "The run",
        needs="steer",
        palette=(("Keep a resume point now", "checkpoint"),),
    ),
    _one(
        "r",
        "r",
        "resume",
        "Resume",
        "Resume a run that was stopped or cut off, from its last resume point",
        "The run",
        hint=2,
        needs="resume",
        palette=(("Resume the run from its last resume point", "resume"),),
    ),
    _one(
        "f",
        "f",
        "hindsight",
        "Final keys",
        "Recompute the measures over the stored weights with the final keys, and redraw the past",
        "The run",
        needs="write",
        palette=(("Recompute with final keys (hindsight)", "hindsight"),),
    ),
    _one(
        "R",
        "R",
        "replay",
        "Replay",
        "Play the recording as if it were live, from the cursor or the start; in a replay, back to the run as it is",
        "The run",
        palette=(("Replay the run, or leave the replay", "replay"),),
    ),
    Key(
        "< >",
        (("less_than_sign", "tempo(False)"), ("greater_than_sign", "tempo(True)")),
        "Speed",
        "Slower or faster, in a replay: 1, 2, 5, 10 … times as recorded",
        "The run",
        hint=4,
        needs="replay",
        palette=(("Replay slower", "tempo(False)"), ("Replay faster", "tempo(True)")),
    ),
    _one(
        "d",
        "d",
        "compare",
        "Compare",
        "Compare the run with its family: parent, branches, the parent's other branches",
        "The run",
        palette=(("Compare with parent and branches", "compare"),),
    ),
    _one(
        "H",
        "H",
        "home",
        "Home",
        "Home: presets and runs; the run goes on",
        "The run",
        hint=12,
        palette=(("Home: presets and runs", "home"),),
    ),
    _one(
        "w",
        "w",
        "ask('weight_decay')",
        "Weight decay",
        "Type a new weight decay; Enter sends it, Esc does not",
        "Steering",
        hint=4,
        needs="steer",
        palette=(("Set the weight decay", "ask('weight_decay')"),),
    ),
    Key(
        "+ ]",
        (("plus", _STEP_UP), ("right_square_bracket", _STEP_UP), ("equals_sign", _STEP_UP)),
        "Decay ×2",
        "Double the weight decay; = does the same",
        "Steering",
        hint=5,
        needs="steer",
        palette=(("Double the weight decay", _STEP_UP),),
    ),
    Key(
        "- [",
        (("minus", _STEP_DOWN), ("left_square_bracket", _STEP_DOWN)),
        "Decay ÷2",
        "Halve the weight decay; from 0.01 on, to 0",
        "Steering",
        hint=6,
        needs="steer",
        palette=(("Halve the weight decay", _STEP_DOWN),),
    ),
    _one(
        "l",
        "l",
        "ask('lr')",
        "Learning rate",
        "Type a new learning rate; Enter sends it, Esc does not",
        "Steering",
        needs="steer",
        palette=(("Set the learning rate", "ask('lr')"),),
    ),
    _one(
        "b",
        "b",
        "branch",
        "Branch",
        "Branch at the cursor, or now: a new run that shares this one's past and goes its own way from there",
        "Steering",
        hint=8,
        needs="write",
        palette=(("Branch the run, at the cursor or now", "branch"),),
    ),
    _one(
        "u",
        "u",
        "undo",
        "Undo",
        "Undo the last change of a control: from now on, or as if it had never been, in a branch before it",
        "Steering",
        needs="write",
        palette=(("Undo the last change of a control", "undo"),),
    ),
    _one(
        "a",
        "a",
        "plan",
        "Plan",
        "Add to the plan: what is to be done, now or when something is so",
        "Steering",
        needs="steer",
        palette=(
            ("Add to the plan", "plan"),
            ("Run until the next phase", "until('next')"),
            ("Run until memorization", "until('memorization')"),
            ("Run until circuit formation", "until('circuit formation')"),
            ("Run until cleanup", "until('cleanup')"),
            ("Run until generalized", "until('generalized')"),
            ("Run until an epoch or a condition", "until_when"),
            ("Limit the epochs per second", "limit"),
        ),
    ),
    _one(
        "s",
        "s",
        "single_step",
        "Step",
        "One epoch, and pause; a run that is not paused is paused first",
        "Steering",
        needs="steer",
        palette=(("Take a single epoch and pause", "single_step"),),
    ),
    _one(
        "x",
        "x",
        "log_x",
        "Log x",
        "Epochs on a logarithmic axis, or a linear one",
        "Looking",
        hint=9,
        palette=(("Switch log x", "log_x"),),
    ),
    _one(
        "y",
        "y",
        "log_y",
        "Log y",
        "Losses on a logarithmic axis, or a linear one",
        "Looking",
        hint=10,
        palette=(("Switch log y", "log_y"),),
    ),
    _one(
        "c",
        "c",
        "cursor",
        "Cursor",
        "Show every pane as it was at one epoch; again, or esc, returns to now. A click or a drag in a chart places it",
        "Looking",
        hint=11,
        palette=(("Switch the cursor", "cursor"),),
    ),
    _one(
        "g",
        "g",
        "ghost",
        "Parent",
        "In a branch: hide its parent's curves, or show them again",
        "Looking",
        palette=(("Hide or show the parent's curves (ghost)", "ghost"),),
    ),
    Key(
        "← →",
        (
            ("left", "move(-1)"),
            ("right", "move(1)"),
            ("shift+left", "move(-10)"),
            ("shift+right", "move(10)"),
        ),
        "Move",
        "Move the cursor; without a cursor, move what is zoomed. With shift, ten times as far",
        "Looking",
        palette=(("Move left", "move(-1)"), ("Move right", "move(1)")),
    ),
    Key(
        "home end",
        (("home", "cursor_to(True)"), ("end", "cursor_to(False)")),
        "Ends",
        "Put the cursor on the first epoch of the run, or on the last",
        "Looking",
        palette=(("Cursor to the first epoch", "cursor_to(True)"), ("Cursor to the last epoch", "cursor_to(False)")),
    ),
    Key(
        ", .",
        (("comma", "mark(-1)"), ("full_stop", "mark(1)")),
        "Marks",
        "Put the cursor on the mark before or after: a change, a change of phase, a branching, a note",
        "Looking",
        palette=(("Previous mark", "mark(-1)"), ("Next mark", "mark(1)")),
    ),
    _one(
        "e",
        "e",
        "note",
        "Note",
        "Write a note at the cursor's epoch, or now: kept in the run, shown in every chart and among the events",
        "Looking",
        needs="write",
        palette=(("Write a note", "note"),),
    ),
    Key(
        "i o",
        (("i", "zoom_in"), ("o", "zoom_out")),
        "Zoom",
        "Zoom in and out of the epochs, around the cursor, or with the wheel; new data leave the zoom alone",
        "Looking",
        palette=(("Zoom in", "zoom_in"), ("Zoom out", "zoom_out")),
    ),
    _one(
        "0",
        "0",
        "reset_view",
        "Whole run",
        "The whole run again: no zoom, no cursor",
        "Looking",
        palette=(("Show the whole run", "reset_view"),),
    ),
    Key(
        "1 … 9",
        tuple((str(n), f"pane({n})") for n in range(1, PLACES + 1)),
        "Pane",
        "Go to the layout's first, second … pane; again makes it large",
        "Panes",
        palette=(("Go to the first pane", "pane(1)"),),
    ),
    Key(
        "tab",
        (("tab", "next_pane(1)"), ("shift+tab", "next_pane(-1)")),
        "Next pane",
        "The next pane; shift+tab the one before",
        "Panes",
        palette=(("Next pane", "next_pane(1)"), ("Previous pane", "next_pane(-1)")),
    ),
    Key(
        "m",
        (("m", "maximise"), ("enter", "maximise")),
        "Large",
        "Make the pane fill the screen, or small again; Enter does the same",
        "Panes",
        hint=8,
        palette=(("Make the pane large or small", "maximise"),),
    ),
    Key(
        "↑ ↓",
        (
            ("up", "scroll_pane(-1)"),
            ("down", "scroll_pane(1)"),
            ("pageup", "scroll_pane(-10)"),
            ("pagedown", "scroll_pane(10)"),
        ),
        "Scroll",
        "Scroll the events; page up and page down, ten times as far; the wheel too",
        "Panes",
        palette=(("Scroll the events up", "scroll_pane(-10)"), ("Scroll the events down", "scroll_pane(10)")),
    ),
    Key(
        "v V",
        (("v", "next_layout(1)"), ("V", "next_layout(-1)")),
        "Layout",
        "The next layout of panes, V the one before: main, progress, circuit, frequencies, checks, and your own",
        "Panes",
        hint=13,
        palette=(("Next layout", "next_layout(1)"), ("Previous layout", "next_layout(-1)")),
    ),
    Key(
        "n N",
        (("n", "other_pane(1)"), ("N", "other_pane(-1)")),
        "Other pane",
        "Another kind of pane in this one's place, N the one before; the palette has each by name",
        "Panes",
        palette=(("Another pane in this place", "other_pane(1)"),),
    ),
    _one(
        "L",
        "L",
        "save_layout",
        "Save layout",
        "Save the panes as they are as a layout of your own",
        "Panes",
        palette=(("Save the panes as a layout", "save_layout"),),
    ),
    _one(
        "esc",
        "escape",
        "back",
        "Back",
        "Back by one: the input, the large pane, the cursor",
        "Panes",
        palette=(("Back by one", "back"),),
    ),
)

HOME_KEYS: tuple[Key, ...] = (
    Key("q", (("q", "leave"), ("ctrl+c", "leave")), "Leave", "Leave; what trains goes on", "Home", hint=1),
    _one("enter", "enter", "choose", "Open", "Start the preset, or open the run, under the bar", "Home", hint=2),
    Key(
        "tab",
        (("tab", "other_table"), ("shift+tab", "other_table")),
        "Presets / runs",
        "From the presets to the runs and back",
        "Home",
        hint=3,
    ),
    _one("r", "r", "reload", "Look again", "Look for runs again", "Home", hint=7),
    _one("space", "space", "select", "Select", "Select the run under the bar, or no longer", RUNS, hint=4),
    _one(
        "d",
        "d",
        "compare",
        "Compare",
        "Show the selected runs side by side",
        RUNS,
        hint=5,
        palette=(("Compare the selected runs", "compare"),),
    ),
    Key(
        "D",
        (("D", "delete"), ("delete", "delete")),
        "Delete",
        "Delete the run under the bar; asks first, and refuses while it is trained or has branches. del does the same",
        RUNS,
        hint=6,
        needs="write",
        palette=(("Delete the run under the bar", "delete"),),
    ),
)

COMPARE_KEYS: tuple[Key, ...] = (
    Key("q", (("q", "leave"), ("ctrl+c", "leave")), "Leave", "Leave; what trains goes on", "Comparing", hint=1),
    Key(
        "n N",
        (("n", "next_curve(1)"), ("N", "next_curve(-1)")),
        "Series",
        "The next series, N the one before: accuracy, losses, sum of squares, weight decay",
        "Comparing",
        hint=3,
        palette=(("Next series", "next_curve(1)"), ("Previous series", "next_curve(-1)")),
    ),
    Key(
        "a A",
        (("a", "next_alignment(1)"), ("A", "next_alignment(-1)")),
        "Align",
        "Tell all runs from another moment, A the one before: start, changes, phases, branch",
        "Comparing",
        hint=4,
        palette=(("Align the runs by the next moment", "next_alignment(1)"),),
    ),
    Key(
        "↑ ↓",
        (("down", "next_run(1)"), ("up", "next_run(-1)")),
        "Run",
        "Let the next run stand out, with its changes; the others are dim",
        "Comparing",
        hint=5,
        palette=(("Let the next run stand out", "next_run(1)"),),
    ),
    Key(
        "1 … 8",
        tuple((str(n), f"run({n})") for n in range(1, 9)),
        "Run",
        "Let that run stand out; again, all are alike",
        "Comparing",
        palette=(("Let the first run stand out", "run(1)"),),
    ),
    _one("enter", "enter", "open", "Open", "Open the run that stands out", "Comparing", hint=9),
    Key(
        "tab",
        (("tab", "next_sheet(1)"), ("shift+tab", "next_sheet(-1)")),
        "Table",
        "What comes first below the charts: when, where, phases, differences, effects of changes",
        "Comparing",
        hint=6,
        palette=(("Next table", "next_sheet(1)"),),
    ),
    _one("m", "m", "large", "Large", "One large chart, then the tables alone, then both again", "Comparing", hint=7),
    _one("c", "c", "cursor", "Cursor", "Read every run at one epoch, in order of value", "Comparing", hint=8),
    Key(
        "← →",
        (("left", "move(-1)"), ("right", "move(1)"), ("shift+left", "move(-10)"), ("shift+right", "move(10)")),
        "Move",
        "Move the cursor; without a cursor, move what is zoomed. With shift, ten times as far",
        "Comparing",
        palette=(("Move left", "move(-1)"), ("Move right", "move(1)")),
    ),
    Key(
        "i o",
        (("i", "zoom_in"), ("o", "zoom_out")),
        "Zoom",
        "Zoom in and out of the epochs, around the cursor",
        "Comparing",
        palette=(("Zoom in", "zoom_in"), ("Zoom out", "zoom_out")),
    ),
    _one("0", "0", "reset_view", "Whole", "All epochs again: no zoom, no cursor", "Comparing"),
    _one("x", "x", "log_x", "Log x", "Epochs on a logarithmic axis, from the common moment on", "Comparing", hint=10),
    _one("y", "y", "log_y", "Log y", "Losses on a logarithmic axis, or a linear one", "Comparing", hint=11),
    _one("esc", "escape", "back", "Back", "Back by one: large, cursor, the run that stands out", "Comparing"),
    _one("H", "H", "home", "Home", "Home: presets and runs", "Comparing", hint=12),
)

APP_KEYS: tuple[Key, ...] = (
    Key(
        "?",
        (("question_mark", "app.help"), ("h", "app.help"), ("f1", "app.help")),
        "Help",
        "This help; h and F1 do the same",
        "Everywhere",
        hint=2,
        palette=(("Help: every key, every pane", "app.help"),),
    ),
    _one(
        "ctrl+p", "ctrl+p", "app.command_palette", "Palette", "Find anything there is to do by its name", "Everywhere"
    ),
    _one(
        "t",
        "t",
        "app.light_or_dark",
        "Light / dark",
        "Light or dark",
        "Everywhere",
        palette=(("Switch light and dark", "app.light_or_dark"),),
    ),
)

SWEEP_KEYS: tuple[Key, ...] = (
    Key("q", (("q", "leave"), ("ctrl+c", "leave")), "Leave", "Leave; the sweep goes on", "A sweep", hint=1),
    Key(
        "← → ↑ ↓",
        (("left", "move(0, -1)"), ("right", "move(0, 1)"), ("up", "move(-1, 0)"), ("down", "move(1, 0)")),
        "Move",
        "Choose another member",
        "A sweep",
        palette=(("Choose the next member", "move(0, 1)"),),
    ),
    _one("enter", "enter", "open", "Open", "Open the member's own screen; H there comes back", "A sweep", hint=3),
    Key(
        "g G",
        (("g", "sign(1)"), ("G", "sign(-1)")),
        "Grokked",
        "Another sign of grokking: 50 % test accuracy, test loss below chance, end of cleanup, generalized",
        "A sweep",
        hint=4,
        palette=(("Tell the time to grok by the next sign", "sign(1)"),),
    ),
    _one("s", "s", "seeds", "Seeds", "Each seed by itself, or the median over seeds", "A sweep", hint=5),
    _one("space", "space", "mark", "Mark", "Mark a member for comparing, or not", "A sweep", hint=7),
    _one("d", "d", "compare", "Compare", "Compare the marked members, or those of the row", "A sweep", hint=6),
    _one(
        "r",
        "r",
        "resume",
        "Resume",
        "Go on with members that were stopped or cut off, and those that wait",
        "A sweep",
        hint=8,
        needs="write",
    ),
    _one(
        "S",
        "S",
        "stop",
        "Stop",
        "Stop the sweep, each member with a resume point; asks first",
        "A sweep",
        hint=9,
        needs="write",
    ),
    _one("H", "H", "home", "Home", "Home: presets and runs; the sweep goes on", "A sweep", hint=10),
    _one("esc", "escape", "back", "Back", "Remove the marks", "A sweep"),
)

TABLE: tuple[Key, ...] = (*RUN_KEYS, *APP_KEYS, *HOME_KEYS, *COMPARE_KEYS, *SWEEP_KEYS)


def bindings(rows: tuple[Key, ...]) -> list[BindingType]:
    """The Textual bindings of some rows of the table."""
    return [binding for row in rows for binding in row.bindings]


def groups(rows: tuple[Key, ...] = TABLE) -> dict[str, list[Key]]:
    """The rows by group, in the table's order."""
    found: dict[str, list[Key]] = {}
    for row in rows:
        found.setdefault(row.group, []).append(row)
    return found


def markdown() -> str:
    """The table as the README prints it."""
    lines: list[str] = []
    for group, rows in groups().items():
        lines += [f"**{group}**", "", "| Key | What it does |", "|---|---|"]
        lines += [f"| `{row.shown}` | {row.about} |" for row in rows]
        lines.append("")
    return "\n".join(lines)
