"""The keys of the other screens, and those of all."""

from __future__ import annotations

from grok_tui.ui.key import Key, one

RUNS = "Runs at home"
"""The group of the keys that are about the run under the bar."""

HOME_KEYS: tuple[Key, ...] = (
    Key("q", (("q", "leave"), ("ctrl+c", "leave")), "Leave", "Leave; what trains goes on", "Home", hint=1),
    one("enter", "enter", "choose", "Open", "Start the preset, or open the run, under the bar", "Home", hint=2),
    Key(
        "tab",
        (("tab", "other_table"), ("shift+tab", "other_table")),
        "Presets / runs",
        "From the presets to the runs and back",
        "Home",
        hint=3,
    ),
    one("r", "r", "reload", "Look again", "Look for runs again", "Home", hint=7),
    one("space", "space", "select", "Select", "Select the run under the bar, or no longer", RUNS, hint=4),
    one(
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
    one("enter", "enter", "open", "Open", "Open the run that stands out", "Comparing", hint=9),
    Key(
        "tab",
        (("tab", "next_sheet(1)"), ("shift+tab", "next_sheet(-1)")),
        "Table",
        "What comes first below the charts: when, where, phases, differences, effects of changes",
        "Comparing",
        hint=6,
        palette=(("Next table", "next_sheet(1)"),),
    ),
    one("m", "m", "large", "Large", "One large chart, then the tables alone, then both again", "Comparing", hint=7),
    one("c", "c", "cursor", "Cursor", "Read every run at one epoch, in order of value", "Comparing", hint=8),
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
    one("0", "0", "reset_view", "Whole", "All epochs again: no zoom, no cursor", "Comparing"),
    one("x", "x", "log_x", "Log x", "Epochs on a logarithmic axis, from the common moment on", "Comparing", hint=10),
    one("y", "y", "log_y", "Log y", "Losses on a logarithmic axis, or a linear one", "Comparing", hint=11),
    one("esc", "escape", "back", "Back", "Back by one: large, cursor, the run that stands out", "Comparing"),
    one("H", "H", "home", "Home", "Home: presets and runs", "Comparing", hint=12),
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
    one("ctrl+p", "ctrl+p", "app.command_palette", "Palette", "Find anything there is to do by its name", "Everywhere"),
    one(
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
    one("enter", "enter", "open", "Open", "Open the member's own screen; H there comes back", "A sweep", hint=3),
    Key(
        "g G",
        (("g", "sign(1)"), ("G", "sign(-1)")),
        "Grokked",
        "Another sign of grokking: 50 % test accuracy, test loss below chance, end of cleanup, generalized",
        "A sweep",
        hint=4,
        palette=(("Tell the time to grok by the next sign", "sign(1)"),),
    ),
    one("s", "s", "seeds", "Seeds", "Each seed by itself, or the median over seeds", "A sweep", hint=5),
    one("space", "space", "mark", "Mark", "Mark a member for comparing, or not", "A sweep", hint=7),
    one("d", "d", "compare", "Compare", "Compare the marked members, or those of the row", "A sweep", hint=6),
    one(
        "r",
        "r",
        "resume",
        "Resume",
        "Go on with members that were stopped or cut off, and those that wait",
        "A sweep",
        hint=8,
        needs="write",
    ),
    one(
        "S",
        "S",
        "stop",
        "Stop",
        "Stop the sweep, each member with a resume point; asks first",
        "A sweep",
        hint=9,
        needs="write",
    ),
    one("H", "H", "home", "Home", "Home: presets and runs; the sweep goes on", "A sweep", hint=10),
    one("esc", "escape", "back", "Back", "Remove the marks", "A sweep"),
)
