"""Packs cut, flipped or written by chance: refused with nothing left behind, or the very run that was packed."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from grok_tui import manifest, packing, paths
from grok_tui.errors import GrokTuiError
from tests.share import planted
from tests.share.planted import nothing_left

pytestmark = pytest.mark.usefixtures("own_home")


SMALL: dict[str, bytes] = {}


def small() -> bytes:
    """A pack of a short run, made once."""
    if not SMALL:
        run = planted.run(20, (), weights=(0,), resume=(), looked_back=False)
        place = paths.home() / "small.grok"
        packing.pack(run, place)
        SMALL["pack"] = place.read_bytes()
        SMALL["frames"] = run.frames.read_bytes()
    return SMALL["pack"]


def harmless(data: bytes) -> bool:
    """Either refused with nothing left behind, or the very run that was packed."""
    file = paths.runs_dir().parent / "fuzzed.grok"
    file.write_bytes(data)
    before = len(list(paths.runs_dir().iterdir()))
    try:
        (run,) = packing.unpack(file)
    except GrokTuiError as error:
        return nothing_left(before) and "\n" not in str(error)
    same = run.frames.read_bytes() == SMALL["frames"] and not list(run.path.glob("*/*.pkl"))
    for path in sorted(run.path.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    run.path.rmdir()
    return same


@settings(max_examples=150)
@given(st.floats(0, 1, exclude_max=True))
@example(0.0)
@example(0.999999)
def test_a_pack_that_was_cut_short_anywhere_is_refused(at: float) -> None:
    data = small()
    assert harmless(data[: int(at * len(data))])


@settings(max_examples=300)
@given(st.floats(0, 1, exclude_max=True), st.integers(0, 7))
def test_a_flipped_bit_is_refused_or_changes_nothing(at: float, bit: int) -> None:
    data = bytearray(small())
    data[int(at * len(data))] ^= 1 << bit
    assert harmless(bytes(data))


@settings(max_examples=200)
@given(st.binary(max_size=200), st.floats(0, 1, exclude_max=True), st.integers(0, 200))
def test_bytes_put_in_anywhere_are_refused_or_change_nothing(new: bytes, at: float, over: int) -> None:
    data = small()
    start = int(at * len(data))
    assert harmless(data[:start] + new + data[start + over :])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(["format", "pack", "layout", "runs", "files", "grok_tui"]), JSON, min_size=1))
def test_any_manifest_is_refused_or_fits(changes: dict[str, Any]) -> None:
    with zipfile.ZipFile(io.BytesIO(small())) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    listed = json.loads(members.pop(manifest.NAME)) | changes
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        archive.writestr(manifest.NAME, json.dumps(listed))
    assert harmless(out.getvalue())
