"""What a mismatch costs: cheap models learn on train and are judged at home and on the target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from validation.modelling.columns import Feature, columns_of
from validation.modelling.features import Encoder, Matrix
from validation.modelling.models import FAMILIES, Family, fit
from validation.modelling.rows import SampleRows, generator, keyed_folds, together
from validation.modelling.target import Target, labelled
from validation.seeds import seed_of

FOLDS = 5
TRAIN_ROWS = 5_000
JUDGED_ROWS = 5_000
