"""Parses a spec, and tells everything that is wrong with it at once, in the order of the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice

from pydantic import ValidationError

from pipelines.sources.filesystems import locate, read_bytes
from pipelines.spec.checks import cross_problems
from pipelines.spec.messages import message_of, place_of, shown
from pipelines.spec.models import Spec
from pipelines.spec.strict_yaml import MAX_CHARACTERS, Document, Place, read_document
from pipelines.spec.values import kind_of
from splitting.errors import DataError, Problem, SpecError

MAX_BYTES = 4 * MAX_CHARACTERS
_MOST_TOLD = 50
_MOST_COUNTED = 1_000
_EMPTY = "is empty"


def load_spec(path: str) -> Spec:
    """Reads a spec.

    Args:
        path: of a YAML file.

    Returns:
        The spec.

    Raises:
        SpecError: the file cannot be read, or is not a spec; lists every problem with its path.
    """
    try:
        data = read_bytes(locate(path), MAX_BYTES + 1)
    except DataError as error:
        raise SpecError(str(error), path) from error
    if len(data) > MAX_BYTES:
        raise SpecError(
            f"is larger than {MAX_BYTES:,} bytes, expected a YAML file of at most {MAX_CHARACTERS:,} characters; give "
            "the spec, not the data",
            path,
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecError(
            f"is not UTF-8 text (byte {error.start}), expected a YAML file; save it as UTF-8, or give the spec instead",
            path,
        ) from error
    return parse_spec(text, path)


def parse_spec(text: str, origin: str = "spec") -> Spec:
    """Parses a spec.

    Args:
        text: YAML.
        origin: what the text is called in messages.

    Returns:
        The spec.

    Raises:
        SpecError: it is not a spec; lists every problem with its path and line, in the order of the file.
    """
    document = read_document(text, origin)
    if not isinstance(document.values, dict):
        told = f"is {kind_of(document.values)}, expected a mapping with name, salt, sources, key, target and splits"
        raise SpecError(told, origin)
    found: list[tuple[Place, Callable[[], str]]] = [
        (place, partial(str, message)) for place, message in document.problems
    ]
    spec = None
    try:
        spec = Spec.model_validate(document.values)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            place = place_of(detail["loc"], document.values)
            if not any(place[:n] in document.unusable for n in range(len(place) + 1)):
                found.append((place, partial(message_of, detail, Spec)))
    told_at = {place for place, _ in found}
    for place, message in islice(cross_problems(document.values), _MOST_COUNTED):
        if not (message.startswith(_EMPTY) and place in told_at):
            found.append((place, partial(str, message)))
    if spec is None or found:
        raise SpecError(_told(found, document), origin)
    return spec


def with_lines(error: SpecError, path: str) -> SpecError:
    """What was found wrong in a spec once the data was known, with its lines.

    Args:
        error: of a spec that had been loaded.
        path: of the file that it was loaded from.

    Returns:
        The same problems in the order of the file, each with the line of its place, or of the nearest place around it;
        the error itself where the file cannot be read any more.
    """
    try:
        document = read_document(read_bytes(locate(path), MAX_BYTES + 1).decode("utf-8-sig"), path)
    except (DataError, SpecError, UnicodeDecodeError):
        return error
    lines = {shown(place): line for place, line in document.lines.items()}
    placed = [(_line_of(problem.path, lines), problem) for problem in error.problems]
    ordered = sorted(placed, key=lambda item: item[0] or 0)
    return SpecError(
        [Problem(one.path, f"line {line}: {one.message}" if line else one.message) for line, one in ordered], path
    )


def _line_of(path: str, lines: dict[str, int]) -> int | None:
    while path and path not in lines:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return lines.get(path)


def _told(found: list[tuple[Place, Callable[[], str]]], document: Document) -> list[Problem]:
    """The problems in the order of the file, each once; a message is made only if it is told."""
    order = {place: i for i, place in enumerate(document.lines)}
    ranked = sorted(found, key=lambda item: order.get(_nearest(item[0], document), -1))
    told = dict.fromkeys(_problems(ranked[:_MOST_TOLD], document))
    more = len(ranked) - _MOST_TOLD
    return [*told, *([Problem("", f"… and {more:,} more problems; mend these first")] if more > 0 else [])]


def _problems(found: list[tuple[Place, Callable[[], str]]], document: Document) -> Iterator[Problem]:
    for place, message in found:
        line = document.lines.get(_nearest(place, document))
        yield Problem(shown(place), message() if line is None else f"line {line}: {message()}")


def _nearest(place: Place, document: Document) -> Place:
    """The place, or the nearest around it that stands in the document."""
    return next((place[:n] for n in range(len(place), 0, -1) if place[:n] in document.lines), ())
