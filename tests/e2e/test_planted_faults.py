"""Faults that are planted in a run are told, every time; and without one nothing is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from pipelines import api
from pipelines.output.shards import ShardWriter
from pipelines.output.tables import OutputTables
from pipelines.report.headline import Headline, headline
from pipelines.reporting import read_facts
from pipelines.run_directory import RunDirectory
from pipelines.sources.reading import Chunk
from splitting.assign import REASON, Assignment
from splitting.errors import DataError
from splitting.plan import SPLIT
from splitting.rules import GROUP, KEY
from tests.support.corpus import write_parquet, write_spec

pytestmark = pytest.mark.e2e
SPEC = """
name: cats
salt: {salt}
sources: {{web: {{path: web}}, app: {{path: app}}}}
key: image_id
group: user_id
label: label
target: {{source: app}}
stratify: [label]
splits: {{test: 300, dev: 300, train_dev: 300, train: rest}}
checks: {{probe: false, sample: 500}}
"""
SALTS = ["one", "two", "three"]
Place = Callable[[Assignment, pl.DataFrame], pl.DataFrame]


def photos(web: int = 4_000, app: int = 2_400) -> dict[str, pl.DataFrame]:
    """Web and app images with the same look; users own two images each."""
    random = np.random.default_rng(5)

    def frame(prefix: str, rows: int) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "image_id": [f"{prefix}{i}" for i in range(rows)],
                "user_id": [f"{prefix}u{i // 2}" for i in range(rows)],
                "label": random.choice(["cat", "dog", "fox"], rows, p=[0.5, 0.3, 0.2]),
                "width": random.normal(800, 200, rows),
                "caption": [f"photo {prefix}{i}" for i in range(rows)],
            }
        )

    return {"web": frame("w", web), "app": frame("a", app)}


def run(folder: Path, tables: dict[str, pl.DataFrame], salt: str, text: str = SPEC) -> dict[str, str]:
    """The sentences of a run's findings, with their severity."""
    write_parquet(folder, tables)
    spec = write_spec(folder, text, salt=salt)
    result = api.run(str(spec), str(folder / "RUN"))
    assert result.judgement.engine, "Great Expectations judged"
    return {finding.sentence: finding.severity for finding in result.judgement.findings}


def top(folder: Path) -> Headline:
    """What a reviewer reads first."""
    return headline(read_facts(RunDirectory.at(str(folder / "RUN"))))


def plant(monkeypatch: pytest.MonkeyPatch, change: Place) -> None:
    """A splitter with a bug."""
    honest = Assignment.place

    def place(self: Assignment, rows: pl.DataFrame) -> pl.DataFrame:
        return change(self, rows.with_columns(honest(self, rows)))

    monkeypatch.setattr(Assignment, "place", place)


def moved(rows: pl.DataFrame, chosen: pl.Expr, split: str) -> pl.DataFrame:
    """The rows' places, some of them changed."""
    return rows.select(
        pl.when(chosen).then(pl.lit(split)).otherwise(SPLIT).alias(SPLIT),
        pl.when(chosen).then(None).otherwise(REASON).alias(REASON),
    )


@pytest.mark.parametrize("salt", SALTS)
def test_without_a_fault_nothing_is_told(tmp_path: Path, salt: str) -> None:
    assert "warning" not in run(tmp_path, photos(), salt).values()
    assert top(tmp_path).verdict == "This split can be trusted."


@pytest.mark.parametrize("salt", SALTS)
def test_web_rows_in_dev_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, salt: str) -> None:
    honest = Assignment.concerns
    taken: list[int] = []

    def concerns(self: Assignment, named: pl.DataFrame) -> pl.Series:
        mask = honest(self, named)
        plain = (~mask).arg_true()[:3] if not taken else []
        taken.extend(named[KEY].gather(plain).to_list() if len(plain) else [])
        return mask | named[KEY].is_in(taken)

    monkeypatch.setattr(Assignment, "concerns", concerns)
    plant(monkeypatch, lambda _, rows: moved(rows, pl.col(KEY).is_in(taken), "dev"))
    tables = photos()
    found = run(tmp_path, {"web": tables["web"], "app": tables["app"]}, salt)
    outside = [sentence for sentence in found if "not in the pool 'target'" in sentence]
    assert outside
    assert all(found[sentence] == "critical" for sentence in outside)
    assert top(tmp_path).verdict == "Do not use this split."
    assert top(tmp_path).sentence.startswith(
        "Rows from outside the target in a split that must hold target rows alone: 3"
    )
    assert not any("files were changed" in step for step in top(tmp_path).steps)


@pytest.mark.parametrize("salt", SALTS)
def test_rows_that_were_swapped_with_web_rows_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, salt: str
) -> None:
    """One in a hundred rows of dev is from the web, and its own is in train: the size is as planned."""
    honest = Assignment.concerns
    taken: list[int] = []

    def concerns(self: Assignment, named: pl.DataFrame) -> pl.Series:
        mask = honest(self, named)
        plain = (~mask).arg_true()[:3] if not taken else []
        taken.extend(named[KEY].gather(plain).to_list() if len(plain) else [])
        lost = self.keys.filter(pl.col("_key_split") == "dev")[KEY].sort()[:3]
        return (mask | named[KEY].is_in(taken)) & ~named[KEY].is_in(lost.to_list())

    monkeypatch.setattr(Assignment, "concerns", concerns)
    plant(monkeypatch, lambda _, rows: moved(rows, pl.col(KEY).is_in(taken), "dev"))
    run(tmp_path, photos(), salt)
    assert top(tmp_path).verdict == "Do not use this split."
    assert top(tmp_path).sentence.startswith(
        "Rows from outside the target in a split that must hold target rows alone: 3 rows of dev are not in the pool"
    )
    assert "The target is the data that the model will be judged on. dev holds 300 rows." in top(tmp_path).sentence
    assert "would not be a score on the target" in top(tmp_path).steps[0]


@pytest.mark.parametrize("salt", SALTS)
def test_a_split_of_the_wrong_size_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, salt: str) -> None:
    """Ten examples of dev, alone in their groups, end up in train: nothing but the size tells."""
    honest = Assignment.concerns

    def concerns(self: Assignment, named: pl.DataFrame) -> pl.Series:
        lost = self.keys.filter(pl.col("_key_split") == "dev")[KEY].sort()[:10]
        return honest(self, named) & ~named[KEY].is_in(lost.to_list())

    monkeypatch.setattr(Assignment, "concerns", concerns)
    run(tmp_path, photos(), salt, SPEC.replace("group: user_id\n", ""))
    assert top(tmp_path).verdict == "Do not use this split."
    assert top(tmp_path).sentence.startswith(
        "A split of another size than planned: dev holds 290 rows, and 300 were planned."
    )
    assert "files were changed or are not whole" in top(tmp_path).steps[0]


@pytest.mark.parametrize("salt", SALTS)
def test_a_leaked_user_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, salt: str) -> None:
    honest = Assignment.concerns

    def concerns(self: Assignment, named: pl.DataFrame) -> pl.Series:
        keys = self.members.filter(pl.col(GROUP) == self.members[GROUP].min())[KEY].sort()
        return honest(self, named) & (named[KEY] != keys[0])

    monkeypatch.setattr(Assignment, "concerns", concerns)
    found = run(tmp_path, photos(), salt)
    assert any("has a group that is also in" in sentence for sentence in found), found
    assert top(tmp_path).verdict == "Do not use this split."
    assert top(tmp_path).sentence.startswith("A leak between splits: 1 row of train has a group that is also in")
    assert "A group is what shares `user_id`." in top(tmp_path).sentence


@pytest.mark.parametrize("salt", SALTS)
def test_a_leaked_duplicate_is_told(tmp_path: Path, salt: str) -> None:
    tables = photos()
    copies = tables["app"].with_columns(
        image_id=pl.format("copy{}", "image_id"), user_id=pl.format("copy{}", "user_id")
    )
    tables["web"] = pl.concat([tables["web"], copies.with_columns(user_id=pl.lit(None, pl.String))])
    tables["app"] = tables["app"].with_columns(user_id=pl.lit(None, pl.String))
    found = run(tmp_path, tables, salt)
    assert any("say the same as rows of dev" in sentence for sentence in found), found
    assert top(tmp_path).verdict == "Do not trust the score yet."
    assert top(tmp_path).sentence.startswith("Copies across splits: ")
    assert not any("report the score on test" in step for step in top(tmp_path).steps)


@pytest.mark.parametrize("salt", SALTS)
def test_a_label_that_train_lacks_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, salt: str) -> None:
    tables = photos()
    rare = tables["app"].with_columns(
        label=pl.when(pl.int_range(pl.len()) < 2_000).then("label").otherwise(pl.lit("rare"))
    )
    found = run(tmp_path, {"web": tables["web"], "app": rare}, salt)
    assert not any("'rare'" in sentence for sentence, severity in found.items() if severity == "critical")

    honest = OutputTables.split_frame

    def forgetful(self: OutputTables, chunk: Chunk, chosen: pl.Series | None, sources: pl.Enum) -> pl.DataFrame:
        return honest(self, chunk, chosen, sources).with_columns(pl.col("label").replace("rare", "cat"))

    monkeypatch.setattr(OutputTables, "split_frame", forgetful)
    found = run(tmp_path / "again", {"web": tables["web"], "app": rare}, salt)
    assert any("train has no example of 'rare'" in sentence for sentence in found), found
    assert top(tmp_path / "again").verdict == "Do not use this split."
    assert top(tmp_path / "again").sentence.startswith("A label that train lacks: train has no example of 'rare'")


def test_a_column_that_gives_the_label_away_is_told(tmp_path: Path) -> None:
    tables = {name: frame.with_columns(answer=pl.col("label").str.to_uppercase()) for name, frame in photos().items()}
    run(tmp_path, tables, SALTS[0], SPEC.replace("probe: false, ", ""))
    assert top(tmp_path).verdict == "Every promise holds; read the warnings first."
    assert top(tmp_path).sentence.startswith("A column that may give the label away: `answer` alone predicts the label")
    assert any("Leave `answer` out of the features" in step for step in top(tmp_path).steps)


def test_rows_that_a_writer_loses_fail_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = OutputTables.split_frame
    monkeypatch.setattr(OutputTables, "split_frame", lambda *given: honest(*given)[1:])
    with pytest.raises(DataError, match=r"rows were read, .* were written"):
        run(tmp_path, photos(), SALTS[0])
    assert not (tmp_path / "RUN" / "_SUCCESS").exists()


def test_other_rows_than_were_drawn_fail_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = ShardWriter.write

    def careless(self: ShardWriter, table: pa.Table) -> None:
        honest(self, table if len(table) != 300 else pa.concat_tables([table[:-5], table[:5]]))

    monkeypatch.setattr(ShardWriter, "write", careless)
    with pytest.raises(DataError, match="does not hold the rows that were drawn"):
        run(tmp_path, photos(), SALTS[0])


@pytest.mark.parametrize("fault", ["swapped", "doubled", "lost", "relabelled", "file"])
def test_data_that_was_changed_later_is_told(tmp_path: Path, fault: str) -> None:
    run(tmp_path, photos(), SALTS[0])
    data = tmp_path / "RUN" / "data"
    (dev_path,), (train_path, *_) = sorted(data.glob("dev-*")), sorted(data.glob("train-*"))
    dev, train = pl.read_parquet(dev_path), pl.read_parquet(train_path)
    if fault == "swapped":  # of one source and label, so that no count changes
        pairs = dev.with_row_index("at").join(train.with_row_index("there"), on=["source", "label"]).head(1)
        at, there = pairs["at"][0], pairs["there"][0]
        one, other = dev[at], train[there]
        dev, train = pl.concat([dev[:at], other, dev[at + 1 :]]), pl.concat([train[:there], one, train[there + 1 :]])
    elif fault == "doubled":
        train = pl.concat([train, train[:1]])
    elif fault == "lost":
        dev = dev[1:]
    elif fault == "relabelled":
        dev = dev.with_columns(label=pl.lit("cat"))
    dev.write_parquet(dev_path)
    train.write_parquet(train_path)
    if fault == "file":
        dev_path.write_bytes(dev_path.read_bytes()[:-100])
    with pytest.raises(DataError, match="cannot be read" if fault == "file" else "was changed after it was written"):
        api.validate(str(tmp_path / "RUN"), rescan=True)


def test_data_as_it_was_written_passes_again(tmp_path: Path) -> None:
    run(tmp_path, photos(), SALTS[0])
    before = (tmp_path / "RUN" / "validation.json").read_bytes()
    api.validate(str(tmp_path / "RUN"), rescan=True)
    assert (tmp_path / "RUN" / "validation.json").read_bytes() == before
