"""Names made of texts from the data: nothing leaves its folder, and no two things share a name anywhere."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.output.media.names import NO_LABEL, file_names, label_folders, safe_name

TEXTS = st.text(max_size=120) | st.sampled_from(["..", ".", "a/../b", "CON", "con.txt", "Cat", "cat", "CAT ", "é", "é"])


def is_one_part(name: str) -> bool:
    """A plain name on every system."""
    return (
        PurePosixPath(name).parts == (name,)
        and PureWindowsPath(name).parts == (name,)
        and name not in {".", ".."}
        and not set(name) & set('<>:"/\\|?*\0\n\r\t')
        and name == name.strip()
        and not name.startswith(".")
        and not name.endswith(".")
    )


@given(TEXTS)
def test_a_safe_name_is_one_part_of_a_path_everywhere(text: str) -> None:
    name = safe_name(text)
    assert is_one_part(name)
    assert 0 < len(name.encode()) <= 81
    assert not PureWindowsPath(name).is_reserved()


@given(st.sets(TEXTS | st.none(), max_size=30))
def test_no_two_labels_share_a_folder_also_where_case_is_not_told(labels: set[str | None]) -> None:
    folders = label_folders(labels)
    assert set(folders) == labels
    assert all(is_one_part(name) for name in folders.values())
    folded = {unicodedata.normalize("NFC", unicodedata.normalize("NFKD", name).casefold()) for name in folders.values()}
    assert len(folded) == len(labels)


@given(st.sets(TEXTS, min_size=1, max_size=10), TEXTS)
def test_the_order_of_labels_decides_nothing(labels: set[str], more: str) -> None:
    assert label_folders(sorted(labels)) == label_folders(sorted(labels, reverse=True))


def test_plain_labels_keep_their_names() -> None:
    assert dict(label_folders(["Golden Retriever", "n01440764", "7", None])) == {
        None: NO_LABEL,
        "7": "7",
        "Golden Retriever": "Golden Retriever",
        "n01440764": "n01440764",
    }


def test_labels_that_differ_by_case_or_by_what_was_taken_out_have_a_hash_each() -> None:
    found = label_folders(["cat", "Cat", "a/b", "a_b", NO_LABEL, None, "dog"])
    assert found["dog"] == "dog"
    for label in ("cat", "Cat", "a/b", "a_b", NO_LABEL, None):
        assert found[label][-17] == "-"
    forged = found["Cat"]
    again = label_folders(["cat", "Cat", forged])
    assert len({name.casefold() for name in again.values()}) == 3


@pytest.mark.parametrize(
    ("path", "begins"),
    [
        ("web/cat/kitten.jpeg", "kitten-"),
        ("shard-000.tar/../../x.jpg", "x-"),
        ("a/.hidden", "_.hidden-"),
        ("..\\..\\evil.png", "evil-"),
        ("", "_-"),
        ("x" * 300 + ".jpg", "x" * 80 + "-"),
    ],
)
def test_a_file_keeps_the_last_part_of_its_path(path: str, begins: str) -> None:
    (name,) = file_names(pl.Series([path]), pl.Series([f"web\0{path}"]), pl.Series(["jpg"]))
    assert name.startswith(begins)
    assert name.endswith(".jpg")
    assert is_one_part(name)
    assert len(name.encode()) < 120


def test_files_of_one_name_in_two_folders_have_two_names() -> None:
    paths = pl.Series(["a/x.jpg", "b/x.jpg", "b/X.jpg"])
    names = file_names(paths, paths, pl.Series(["jpg"] * 3))
    assert len({name.casefold() for name in names}) == 3
