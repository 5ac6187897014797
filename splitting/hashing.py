"""Names examples and groups: canonical text of values, and its keyed 64-bit hash.

Every draw orders groups by `u = xxh3_64(canonical text, seed = f(salt, purpose))`. The text is decided here,
once; a change to anything in this module can move examples, and is a major version.

Canonical text of one value:

| value                                   | text                                                        |
| --------------------------------------- | ----------------------------------------------------------- |
| string, categorical                     | itself, NFC-normalised                                      |
| integer                                 | decimal digits: `-12`                                       |
| float with an integral value below 2^53 | as the integer: `1.0` is `1`, `-0.0` is `0`                 |
| other float                             | `float:` and the bits of the 64-bit value, in decimal       |
| NaN                                     | null                                                        |
| decimal                                 | digits without trailing zeros: `1.50` is `1.5`              |
| boolean                                 | `true` or `false`                                           |
| date                                    | `2026-01-31`                                                |
| timestamp                               | `@`, microseconds since 1970 (UTC), `.` and nanoseconds if any |
| time, duration                          | `time:` or `duration:` and nanoseconds                      |
| binary                                  | `binary:` and hexadecimal digits                            |
| list, struct (whole-row keys only)      | the parts, framed                                           |

So `1`, `"1"` and `1.0` name the same example, and `"1.0"` and `"01"` name others. Several columns are joined
with their lengths (`3:abc2:xy`), so that no two different tuples share a text; a null part is `~`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import polars as pl
import polars_hash as plh
from polars._typing import PolarsDataType

from splitting.ascii import is_ascii

HASH_NAME = "xxh3_64"
_EXACT_INTEGER = 2**53


@cache
def seed(salt: str, purpose: str) -> int:
    """The seed of one purpose's hash.

    Args:
        salt: the spec's salt; another salt is another draw.
        purpose: what the hash is for: `group`, `lone`, `key`.

    Returns:
        An unsigned 64-bit integer.

    Examples:
        >>> seed("s", "group") == seed("s", "key")
        False
    """
    text = pl.Series([f"targetsplit\0{purpose}\0{salt}"])
    return int(_xxh3_64(text, 0)[0])


def hash_texts(texts: pl.Series, seed: int) -> pl.Series:
    """Hashes canonical texts.

    Args:
        texts: String.
        seed: an unsigned 64-bit integer.

    Returns:
        UInt64, null where the text is null; `xxhash.xxh3_64_intdigest(text.encode(), seed)` elsewhere.
    """
    return _xxh3_64(texts, seed)


def _xxh3_64(texts: pl.Series, seed_value: int) -> pl.Series:
    frame = texts.alias("text").to_frame()
    return frame.select(plh.col("text").nchash.xxh3_64(seed=seed_value)).to_series()


def name_rows(frame: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """The canonical text of a key or group.

    Args:
        frame: holds the columns.
        columns: one column gives its own text; several are framed and joined.

    Returns:
        String; null where any of the columns is null (or NaN).
    """
    if len(columns) == 1:
        return canonical_text(frame[columns[0]])
    framed = pl.DataFrame({str(i): _frame_parts(canonical_text(frame[c])) for i, c in enumerate(columns)})
    missing = pl.any_horizontal(pl.all() == "~")
    return framed.select(pl.when(~missing).then(pl.concat_str(pl.all()))).to_series()


def name_whole_rows(frame: pl.DataFrame, columns: Sequence[str]) -> pl.Series:
    """The canonical text of whole rows: every column in the order of its name, nulls included.

    Args:
        frame: holds the columns.
        columns: the columns that make the row; their order does not matter.

    Returns:
        String, never null.
    """
    framed = {str(i): _frame_parts(canonical_text(frame[c])) for i, c in enumerate(sorted(columns))}
    return pl.DataFrame(framed).select(pl.concat_str(pl.all())).to_series()


def _frame_parts(texts: pl.Series) -> pl.Series:
    return texts.to_frame("t").select(_framed(pl.col("t"))).to_series()


def _framed(text: pl.Expr) -> pl.Expr:
    size = text.str.len_bytes().cast(pl.String)
    return pl.when(text.is_null()).then(pl.lit("~")).otherwise(pl.concat_str(size, pl.lit(":"), text))


def canonical_text(values: pl.Series) -> pl.Series:
    """The canonical text of each value, as the module's table says.

    Args:
        values: of any type but Object.

    Returns:
        String, null where the value is null or NaN.

    Raises:
        TypeError: the type has no canonical text.
    """
    values, dtype = values.alias(""), values.dtype  # polars takes some names for patterns
    if dtype == pl.String:
        return _normalise(values)
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return _normalise(values.cast(pl.String))
    if isinstance(dtype, pl.Float64 | pl.Float32 | pl.Float16):
        return _float_text(values.cast(pl.Float64))
    return values.to_frame("v").select(_text(pl.col("v"), dtype)).to_series()


def _normalise(texts: pl.Series) -> pl.Series:
    return texts if is_ascii(texts) else texts.str.normalize("NFC")


def _float_text(values: pl.Series) -> pl.Series:
    bits = pl.Series(values.fill_null(0.0).to_numpy().view("uint64"))
    frame = pl.DataFrame({"v": values.fill_nan(None), "bits": bits})
    integral = (pl.col("v") == pl.col("v").floor()) & (pl.col("v").abs() < _EXACT_INTEGER)
    as_integer = pl.col("v").cast(pl.Int64, strict=False).cast(pl.String)
    as_bits = pl.concat_str(pl.lit("float:"), pl.col("bits").cast(pl.String))
    text = pl.when(integral).then(as_integer).otherwise(as_bits)
    return frame.select(pl.when(pl.col("v").is_not_null()).then(text)).to_series()


def _text(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:  # noqa: PLR0911, one return a type reads best
    if dtype.is_integer() or isinstance(dtype, pl.String | pl.Null):
        return value.cast(pl.String)
    if isinstance(dtype, pl.Boolean):
        return pl.when(value).then(pl.lit("true")).when(~value).then(pl.lit("false"))
    if isinstance(dtype, pl.Date):
        return value.dt.strftime("%Y-%m-%d")
    if isinstance(dtype, pl.Datetime):
        return _timestamp_text(value, dtype)
    if isinstance(dtype, pl.Time):
        return pl.concat_str(pl.lit("time:"), value.cast(pl.Int64).cast(pl.String))
    if isinstance(dtype, pl.Duration):
        return pl.concat_str(pl.lit("duration:"), value.dt.total_nanoseconds().cast(pl.String))
    if isinstance(dtype, pl.Decimal):
        text = value.cast(pl.String)
        trimmed = text.str.strip_chars_end("0").str.strip_chars_end(".")
        return pl.when(text.str.contains(".", literal=True)).then(trimmed).otherwise(text)
    if isinstance(dtype, pl.Binary):
        return pl.concat_str(pl.lit("binary:"), value.bin.encode("hex"))
    return _nested_text(value, dtype)


def _timestamp_text(value: pl.Expr, dtype: pl.Datetime) -> pl.Expr:
    micros = value.dt.epoch("us")
    if dtype.time_unit != "ns":
        return pl.concat_str(pl.lit("@"), micros.cast(pl.String))
    nanos = value.dt.epoch("ns")
    rest = nanos - nanos.floordiv(1000) * 1000
    text = pl.concat_str(pl.lit("@"), nanos.floordiv(1000).cast(pl.String))
    return pl.when(rest == 0).then(text).otherwise(pl.concat_str(text, pl.lit("."), rest.cast(pl.String)))


def _nested_text(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.Array):
        return _nested_text(value.arr.to_list(), pl.List(dtype.inner))
    if isinstance(dtype, pl.List):
        part = _framed(_element_text(pl.element(), _instance(dtype.inner)))
        return pl.concat_str(pl.lit("["), value.list.eval(part).list.join(""), pl.lit("]"))
    if isinstance(dtype, pl.Struct):
        numbered = value.struct.rename_fields([str(i) for i in range(len(dtype.fields))])
        parts = [
            pl.concat_str(
                pl.lit(f"{len(field.name.encode())}:{field.name}"),
                _framed(_element_text(numbered.struct.field(str(i)), _instance(field.dtype))),
            )
            for i, field in sorted(enumerate(dtype.fields), key=lambda item: item[1].name)
        ]
        text = pl.concat_str(pl.lit("{"), *parts, pl.lit("}"))
        return pl.when(value.is_not_null()).then(text)
    raise TypeError(f"a value of type {dtype} has no canonical text")


def _element_text(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.String):
        return value.str.normalize("NFC")
    if dtype.is_float():
        number = value.cast(pl.Float64)
        integral = (number == number.floor()) & (number.abs() < _EXACT_INTEGER)
        as_integer = number.cast(pl.Int64, strict=False).cast(pl.String)
        as_bits = pl.concat_str(pl.lit("float:"), number.map_batches(_float_bits, pl.String))
        text = pl.when(integral).then(as_integer).otherwise(as_bits)
        return pl.when(number.is_not_null() & number.is_not_nan()).then(text)
    if isinstance(dtype, pl.Categorical | pl.Enum):
        return value.cast(pl.String).str.normalize("NFC")
    return _text(value, dtype)


def _float_bits(values: pl.Series) -> pl.Series:
    return pl.Series(values.fill_null(0.0).to_numpy().view("uint64")).cast(pl.String)


def _instance(dtype: PolarsDataType) -> pl.DataType:
    return dtype() if isinstance(dtype, type) else dtype
