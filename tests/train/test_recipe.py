"""A recipe repeats what was done to a run; a branch that a plan asks for shares the past and no more."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from grok_tui import branches, feasible, launch, recipe, runs
from grok_tui import config as configs
from grok_tui.cli import cli
from grok_tui.config import Config
from grok_tui.errors import PlanError
from grok_tui.export import made
from grok_tui.export.whole import read as whole_of
from grok_tui.runs import Run
from tests.train.offspring import nobody_makes
from tests.train.stage import TINY, ask, column, entries, final, on, tiny, train, whole
from tests.train.test_planned_branches import child_of

pytestmark = pytest.mark.usefixtures("own_home")


def steered_by_hand() -> Run:
    run = runs.create(tiny("when train_loss > -1 + 4: set lr 0.0123456789012345"))
    with on(run) as session:
        train(session, 17)
        ask(session, "set weight_decay 0.3")
        ask(session, "set weight_decay 3.3000000000000003")
        train(session, 40)
        ask(session, "pause")
        ask(session, "checkpoint")
        ask(session, "set lr 0.002")
        ask(session, "continue")
        train(session, 73)
        ask(session, "set weight_decay cosine 0.1 over 50")
        ask(session, "at 90: set lr step *1.3 every 10 times 3")
        ask(session, "at 150: set lr 0.001")
        train(session, 101)
        ask(session, "set weight_decay 0.7")
    with on(run) as session:
        train(session)
    return run


def test_a_recipe_on_the_same_configuration_gives_the_same_run_bit_for_bit(tmp_path: Path) -> None:
    run, file = steered_by_hand(), tmp_path / "mine.toml"
    file.write_text(recipe.text(run))
    again = runs.create(recipe.applied(tiny(), file))
    with on(again) as session:
        assert train(session) == "finished"
    for name in ("train_loss", "train_accuracy", "test_loss", "sum_of_squares", "weight_decay", "lr"):
        assert column(run, name) == column(again, name), name
    assert final(run) == final(again)
    other = runs.create(tiny())
    with on(other) as session:
        train(session)
    assert final(run) != final(other)
    assert [*recipe.read(file)] == recipe.interventions(recipe.living(entries(again)))


def test_a_recipe_can_be_read_by_people(tmp_path: Path) -> None:
    run, file = steered_by_hand(), tmp_path / "mine.toml"
    file.write_text(text := recipe.text(run))
    assert recipe.read(file) == (
        "at 5: set lr 0.0123456789012345",
        "at 17: set weight_decay 0.3",
        "at 17: set weight_decay 3.3000000000000003",
        "at 40: checkpoint",
        "at 40: set lr 0.002",
        "at 73: set weight_decay cosine 3.3000000000000003 -> 0.1 over 50",
        "at 90: set lr step 0.002 *1.3 every 10 times 3",
        "at 101: set weight_decay 0.7",
        "at 150: set lr 0.001",
    )
    assert f"# The interventions of {run.name}, as they were done." in text
    assert "seeds 0 (data) and 0 (model), weight decay 1, lr 0.01, 200 epochs, started 2" in text
    assert "# Paused at 40: that changes no number, and is left out." in text


def test_a_recipe_as_planned_keeps_conditions(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(recipe.text(steered_by_hand(), as_planned=True))
    assert recipe.read(file) == (
        "when train_loss > -1 + 4: set lr 0.0123456789012345",
        "at 17: set weight_decay 0.3",
        "at 17: set weight_decay 3.3000000000000003",
        "at 40: checkpoint",
        "at 40: set lr 0.002",
        "at 90: set lr step *1.3 every 10 times 3",
        "at 150: set lr 0.001",
        "at 73: set weight_decay cosine 3.3000000000000003 -> 0.1 over 50",
        "at 101: set weight_decay 0.7",
    )


def test_a_recipe_takes_the_place_of_the_presets_plan_and_other_lines_add_to_it(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('plan = ["at 5: pause"]\n')
    config = tiny("at 9: stop")
    assert recipe.applied(config, file, ["at 7: pause"]).plan.lines == ("at 5: pause", "at 7: pause")
    assert recipe.applied(config, None, ["at 7: pause"]).plan.lines == ("at 9: stop", "at 7: pause")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("plan = 3", "no recipe"),
        ("plan = [3]", "no recipe"),
        ("", "no recipe"),
        ("plan = [", "not TOML"),
        ('plan = ["at 5: dance"]', "'dance' is no action"),
        ('plan = ["run 5"]', "'run' is for a run in training"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused_in_one_line(text: str, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(PlanError, match=reason) as error:
        recipe.read(file)
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)


def applied(run: Run, file: Path, *, family: bool = False) -> Run:
    """Another run of the same configuration, with the recipe of this one."""
    file.write_text(recipe.text(run, family=family))
    again = runs.create(recipe.applied(run.config, file))
    with on(again) as session:
        train(session)
    return again


def test_a_living_runs_recipe_keeps_what_has_not_come_yet(tmp_path: Path) -> None:
    run = runs.create(tiny("at 20: set lr 0.02; set weight_decay 2", "at 199: checkpoint"))
    with on(run) as session:
        train(session, 50)
        ask(session, "at 62: set weight_decay 3")
        ask(session, "when train_accuracy > 2: stop")
        file = tmp_path / "mine.toml"
        again = applied(run, file)
        train(session)
    assert recipe.read(file) == (
        "at 20: set lr 0.02",
        "at 20: set weight_decay 2",
        "at 199: checkpoint",
        "at 62: set weight_decay 3",
        "when train_accuracy > 2: stop",
    )
    said = file.read_text()
    assert "# Not come yet when this was written: the last 3 lines.\n" in said
    late = "# Planned at 50, and looked for from the beginning on here: when train_accuracy > 2: stop\n"
    assert late in said
    assert column(again, "train_loss") == column(run, "train_loss")
    assert final(again) == final(run)
    assert "# Never came, and left out: when train_accuracy > 2: stop\n" in recipe.text(run)
    assert "stop" in recipe.lines(run, entries(run), as_planned=True).rules[-1]


def test_a_rule_that_the_run_never_comes_to_is_in_no_recipe() -> None:
    run = runs.create(tiny("at 5000: stop", "at 30: set lr 0.02"))
    with on(run) as session:
        train(session, 50)
    for as_planned in (False, True):
        found = recipe.lines(run, entries(run), as_planned=as_planned)
        assert found.rules == ("at 30: set lr 0.02",)
        assert found.remarks == ("Never came, and left out: at 5000: stop",)


def test_a_branch_for_which_no_epochs_are_left_is_in_no_recipe() -> None:
    run = runs.create(tiny("at 200: branch", "at 200: checkpoint; branch lr 0.1"))
    with on(run) as session:
        train(session, 50)
    for as_planned in (False, True):
        found = recipe.lines(run, entries(run), as_planned=as_planned)
        assert found.rules == ("at 200: checkpoint",)
        assert found.remarks[0] == "Never came, and left out: at 200: branch"
        feasible.check(run.config, found.rules, "the recipe")


def test_a_branchs_recipe_does_not_make_its_parents_branches_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = nobody_makes(monkeypatch)
    lines = ("at 20: branch lr 0.04", "at 30: branch lr 0.03; set lr 0.02", "at 60: branch weight_decay 9")
    run = whole(*lines)
    child = child_of(run, 50)
    assert [wish.epoch for wish in wanted] == [20, 30, 60, 60]
    file = tmp_path / "mine.toml"
    again = applied(child, file)
    assert recipe.read(file) == ("at 30: set lr 0.02", "at 60: branch weight_decay 9")
    assert final(again) == final(child)
    said = file.read_text()
    assert "# A parent asked for branches at 20, 30: theirs, and left out; --family keeps them.\n" in said
    assert "# A line with branch starts another run, as it did here, and changes nothing in this one.\n" in said
    assert recipe.lines(child, entries(child), as_planned=True).rules == ("at 30: set lr 0.02", lines[2])
    applied(child, file, family=True)
    assert recipe.read(file)[:2] == ("at 20: branch lr 0.04", "at 30: branch lr 0.03")
    assert recipe.lines(run, entries(run)).rules == recipe.read(file)
    assert "parent" not in recipe.text(run)


def test_what_a_parents_rule_did_that_the_branch_gave_up_is_in_its_recipe_as_planned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted = nobody_makes(monkeypatch)
    run = whole("at 37: set lr 0.02; branch; set weight_decay 9")
    child = child_of(run, 37, asked=wanted[0].seq)
    assert recipe.lines(child, entries(child), as_planned=True).rules == ("at 37: set lr 0.02",)


def test_a_hook_that_the_configuration_does_not_have_is_in_no_recipe(tmp_path: Path) -> None:
    run = runs.create(tiny("at 20: hook; set lr 0.02", "when train_accuracy > 2: hook; stop"))
    with on(run, "true") as session:
        train(session, 50)
    found = recipe.lines(run, entries(run))
    assert found.rules == ("at 20: set lr 0.02", "when train_accuracy > 2: stop")
    assert "The hook ran at 20 by a command that the configuration does not have: left out." in found.remarks
    own = runs.create(tiny("at 20: hook; set lr 0.02", notify__hook="true"))
    with on(own, "true") as session:
        train(session, 50)
    assert recipe.read(_written(own, tmp_path)) == ("at 20: hook", "at 20: set lr 0.02")


def _written(run: Run, place: Path) -> Path:
    (place / "recipe.toml").write_text(recipe.text(run))
    return place / "recipe.toml"


@pytest.mark.parametrize("name", ["demo", "mine"])
def test_the_command_in_a_recipe_has_all_that_differs_from_the_preset(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "_launch", lambda *_: None)
    changes: dict[str, str | float] = {"task.p": 31}
    changes |= {"training.epochs": 900, "data.fraction": 0.41, "notify.hook": "echo 'so be it'; true"}
    settings = configs.override(configs.preset("demo"), changes.items())
    run = runs.create(replace(settings, name=name, plan=configs.Plan(("at 20: pause",))))
    file = _written(run, tmp_path)
    (said,) = (line for line in file.read_text().splitlines() if "--recipe FILE" in line)
    words = shlex.split(said.partition(": ")[2].replace("FILE", str(file)))
    before = {each.name for each in runs.listing()}
    assert CliRunner().invoke(cli, [*words[1:], "--detach"]).exit_code == 0
    (made,) = (each for each in runs.listing() if each.name not in before)
    assert made.config == replace(run.config, plan=configs.Plan())
    assert ("task.p=31" in said) == (name == "demo")


def made_again(run: Run, monkeypatch: pytest.MonkeyPatch, *expected: str) -> Run:
    """The run that the command makes which stands beside what is exported of this one, trained as far."""
    monkeypatch.setattr(launch, "_launch", lambda *_: None)
    words = shlex.split(made.made(whole_of(run))["again"])
    for word in expected:
        assert word in words
    before = {each.name for each in runs.listing()}
    done = CliRunner().invoke(cli, [*words[1:], "--detach"])
    assert done.exit_code == 0, (done.output, done.exception)
    (again,) = (each for each in runs.listing() if each.name not in before)
    with on(again) as session:
        train(session)
    return again


def shipped(*lines: str) -> Config:
    """As `tiny`, of a preset that everybody has."""
    changes = {**TINY, "training.epochs": 100}
    return configs.planning(configs.override(configs.preset("demo"), changes.items()), lines)


def steered(*asked: tuple[int, str], lines: tuple[str, ...] = ()) -> Run:
    run = runs.create(shipped(*lines))
    with on(run) as session:
        for epoch, line in asked:
            train(session, epoch)
            ask(session, line)
        train(session)
    return run


def test_the_command_of_a_run_that_was_changed_by_hand_makes_the_same_run(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = "when train_loss > -1 + 30: set lr 0.02"
    run = steered((17, "set weight_decay 3.3000000000000003"), (60, "set lr linear 0.001 over 20"), lines=(rule,))
    again = made_again(run, monkeypatch, "at 17: set weight_decay 3.3000000000000003", "at 31: set lr 0.02")
    assert final(again) == final(run)
    planned_only = steered(lines=(rule,))
    assert final(made_again(planned_only, monkeypatch, rule)) == final(planned_only) != final(run)


def test_the_command_of_a_branch_makes_the_same_branch(monkeypatch: pytest.MonkeyPatch) -> None:
    run = steered((17, "set weight_decay 3"), (60, "set lr 0.02"))
    plain = branches.create(run, 40, {"weight_decay": 0.1 + 0.2})
    with on(plain) as session:
        train(session)
    again = made_again(plain, monkeypatch, "branch", run.name, "0.30000000000000004")
    assert final(again) == final(plain) != final(run)


def test_the_command_of_a_branch_that_cannot_be_branched_off_again_does_it_all_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = steered((17, "set weight_decay 3"), (60, "set lr 0.02"))
    without = child_of(run, 60, before=2)
    assert final(made_again(without, monkeypatch, "--preset", "at 17: set weight_decay 3")) == final(without)
    changed = branches.create(run, 40, {"lr": 0.005})
    with on(changed) as session:
        train(session, 50)
        ask(session, "set weight_decay 0.7")
        train(session)
    assert final(made_again(changed, monkeypatch, "--preset", "at 50: set weight_decay 0.7")) == final(changed)


def test_the_command_of_a_branch_whose_parent_was_changed_there_later_does_it_all_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = runs.create(shipped())
    with on(run) as session:
        train(session, 40)
        ask(session, "checkpoint")
        early = branches.create(run, 40)
        ask(session, "set weight_decay 9")
        train(session)
    with on(early) as session:
        train(session)
    assert final(made_again(early, monkeypatch, "--preset")) == final(early) != final(run)
