"""Which kind of shift each column of a mismatch has, from the keyed sample: of labels, of inputs, or within a label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from validation.comparing.comparison import Comparison
from validation.comparing.within import within_label
from validation.evidence import Evidence
from validation.settings import CheckSettings

Kinds = dict[tuple[str, str, str], dict[str, Any]]


def shift_kinds(comparisons: Sequence[Comparison], evidence: Evidence, settings: CheckSettings) -> Kinds:
    """The kind of shift of each column of each pair whose role is a mismatch.

    Args:
        comparisons: of the run.
        evidence: with measures.
        settings: thresholds, alpha, least rows.

    Returns:
        By reference, observed and column: `shift` and `remedy`; empty without a label.
    """
    label = evidence.roles.label
    measures = evidence.measures
    found: Kinds = {}
    if label is None or measures is None:
        return found
    pairs = dict.fromkeys((row.reference, row.observed) for row in comparisons if row.role == "mismatch")
    roles = evidence.roles
    left_out = {*roles.key, *roles.group, *roles.skip, roles.source}
    for reference, observed in pairs:
        frames = [measures.sample.select(evidence.parts(split)).rows for split in (reference, observed)]
        shared = [name for name in frames[0].columns if name in frames[1].columns and name not in left_out]
        if label not in shared or not min(len(frame) for frame in frames):
            continue
        designs = evidence.group_size(reference), evidence.group_size(observed)
        for shift in within_label(frames[0], frames[1], label, shared, settings, designs=designs):
            found[reference, observed, shift.column] = {"shift": shift.kind, "remedy": shift.remedy}
    return found
