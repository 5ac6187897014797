"""Which splits are compared, and as what."""

from __future__ import annotations

from validation.comparing.pairs import TARGET, SplitInfo, pairs_of


def roles(*splits):
    return {
        (pair.reference, pair.observed): pair.role for pair in pairs_of([SplitInfo(*one) for one in splits], ["a", "b"])
    }


USUAL = [("test", "target"), ("dev", "target"), ("train_dev", "train"), ("train", "train")]


def test_the_usual_splits_have_the_usual_roles():
    assert roles(*USUAL) == {
        ("dev", "test"): "match",
        (TARGET, "dev"): "match",
        (TARGET, "test"): "match",
        ("train", "train_dev"): "match",
        ("train_dev", "dev"): "mismatch",
    }


def test_splits_of_rows_of_their_own_are_measured_against_dev_and_match_each_other():
    found = roles(*USUAL, ("night", "hour >= 20"), ("night_2", "hour >= 20"), ("web", "source web"))
    assert found[("dev", "night")] == found[("dev", "night_2")] == found[("dev", "web")] == "mismatch"
    assert found[("night", "night_2")] == "match"
    assert (TARGET, "night") not in found


def test_more_splits_of_the_target_match():
    found = roles(*USUAL, ("extra", "target"))
    assert found[("dev", "extra")] == found[(TARGET, "extra")] == "match"


def test_without_train_dev_the_mismatch_is_that_of_train():
    assert roles(("dev", "target"), ("train", "train"))[("train", "dev")] == "mismatch"


def test_without_dev_the_mismatch_is_that_to_the_first_split_of_the_target():
    found = roles(("test", "target"), ("train_dev", "train"), ("train", "train"))
    assert found[("train_dev", "test")] == "mismatch"


def test_every_pair_is_there_once_and_says_why():
    pairs = pairs_of([SplitInfo(*one) for one in (*USUAL, ("night", "dark"))])
    assert len({(pair.reference, pair.observed) for pair in pairs}) == len(pairs)
    assert all(pair.why.endswith(".") and pair.observed in pair.why for pair in pairs)
    assert [pair.role for pair in pairs] == sorted(pair.role for pair in pairs)


def test_one_source_has_no_shares():
    splits = [SplitInfo(*one) for one in USUAL]
    assert all(pair.by_source for pair in pairs_of(splits, ["a", "b"]))
    assert not any(pair.by_source for pair in pairs_of(splits, ["a"]))


def test_no_splits_have_no_pairs():
    assert pairs_of([]) == ()
