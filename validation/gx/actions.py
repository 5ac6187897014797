"""Runs users' actions of Great Expectations (Slack, e-mail, their own) when everything else is written.

The classes are those of Great Expectations, and those that installed packages offer as entry points of the group
`targetsplit.actions`; a spec cannot name code to load. An action that fails, hangs or was not reached is told, and
changes nothing else.
"""

from __future__ import annotations

import difflib
import logging
import os
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import entry_points
from typing import Any
from urllib.parse import urlsplit

from great_expectations.checkpoint import Checkpoint, actions
from great_expectations.checkpoint.checkpoint import CheckpointResult

GROUP = "targetsplit.actions"
"""The entry points of packages that bring actions."""

SECONDS = 60.0
"""An action that takes longer is told to hang."""

_NAMED = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NOT_FROM_SPECS = {"renderer": "it names code to load", "notify_with": "the docs of a run are one site"}
_OWN = frozenset(
    {
        "APINotificationAction",
        "EmailAction",
        "MicrosoftTeamsNotificationAction",
        "OpsgenieAlertAction",
        "PagerdutyAlertAction",
        "SNSNotificationAction",
        "SlackNotificationAction",
    }
)


def action_problems(told: Sequence[Mapping[str, Any]], environment: Mapping[str, str] | None) -> Iterator[str]:
    """What is wrong with actions.

    Args:
        told: as specs have them: `type`, and the fields of that action.
        environment: where values named `${NAME}` come from; None does not look whether they are there.

    Yields:
        A problem each, with its place.
    """
    known = _known()
    for index, one in enumerate(told):
        kind, place = one["type"], f"checks.actions[{index}]"
        if kind not in known:
            near = difflib.get_close_matches(kind, known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(sorted(known))}"
            yield f"no action is of type {kind!r}; {hint} @ {place}.type"
            continue
        foreign = [key for key in one if key in _NOT_FROM_SPECS]
        yield from (f"{key!r} cannot be set: {_NOT_FROM_SPECS[key]} @ {place}.{key}" for key in foreign)
        missing = [name for name in _names(one) if environment is not None and name not in environment]
        yield from (f"the environment has no variable {name} @ {place}" for name in missing)
        if not foreign and not missing:
            yield from _field_problems(known[kind], one, place)


def run_actions(
    told: Sequence[Mapping[str, Any]], run_id: Any, results: Mapping[Any, Any], name: str, success: bool
) -> list[str]:
    """Runs actions, each for itself.

    Args:
        told: as for `action_problems`.
        run_id: of Great Expectations.
        results: of the suites, by their identifiers.
        name: of the run.
        success: whether it passed.

    Returns:
        What went wrong, a line an action; secrets are not in it.
    """
    known = _known()
    checkpoint = Checkpoint(name=name, validation_definitions=[])
    problems = []
    for index, one in enumerate(told):
        result = CheckpointResult(
            run_id=run_id, run_results=dict(results), checkpoint_config=checkpoint, success=success
        )
        try:
            action = known[one["type"]](**_filled(one, os.environ, index))
        except Exception as error:  # noqa: BLE001, classes of others check in their own ways
            problem: str | None = f"{type(error).__name__}: {error}"
        else:
            problem = _run(action, result)
        if problem is not None:
            problems.append(f"action {index + 1} ({one['type']}): {_without_secrets(problem, one)}")
    return problems


def _run(action: Any, result: Any) -> str | None:
    """Runs one; what went wrong, or None. Great Expectations only logs that a message was not delivered."""
    raised: list[str] = []
    heard = _Warnings()
    logger = logging.getLogger("great_expectations")

    def work() -> None:
        try:
            action.run(checkpoint_result=result, action_context=None)
        except BaseException as error:  # noqa: BLE001, whatever it raises, the run is not lost
            raised.append(f"{type(error).__name__}: {error}")

    logger.addHandler(heard)
    try:
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        thread.join(SECONDS)
    finally:
        logger.removeHandler(heard)
    if thread.is_alive():
        return f"has not ended after {SECONDS:.0f} seconds, and was left"
    found = [*raised, *heard.messages]
    return "; ".join(found) if found else None


class _Warnings(logging.Handler):
    """Keeps warnings."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keeps one."""
        self.messages.append(record.getMessage())


def _known() -> dict[str, Any]:
    """The classes of actions by type."""
    own = [getattr(actions, name) for name in sorted(_OWN)]
    found = {kind.__fields__["type"].default: kind for kind in own}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        found.setdefault(entry.name, entry.load())
    return found


def _field_problems(kind: Any, one: Mapping[str, Any], place: str) -> Iterator[str]:
    try:
        kind(**_filled(one, dict.fromkeys(_names(one), "1"), 0))
    except Exception as error:  # noqa: BLE001, classes of others check in their own ways
        told = error.errors() if hasattr(error, "errors") else [{"loc": (), "msg": str(error)}]
        for item in told:
            where = ".".join(str(part) for part in item["loc"] if part != "__root__")
            yield f"{item['msg']} @ {place}{'.' * bool(where)}{where}"


def _names(one: Mapping[str, Any]) -> list[str]:
    """The variables that an action's values name."""
    texts = [value for value in one.values() if isinstance(value, str)]
    return list(dict.fromkeys(name for text in texts for name in _NAMED.findall(text)))


def _filled(one: Mapping[str, Any], environment: Mapping[str, str], index: int) -> dict[str, Any]:
    filled = {
        key: _NAMED.sub(lambda found: environment[found[1]], value) if isinstance(value, str) else value
        for key, value in one.items()
    }
    return {"name": f"action {index + 1}", **filled}


def _without_secrets(text: str, one: Mapping[str, Any]) -> str:
    """A message without the values of variables, the paths of their URLs, and what a server answered at length."""
    for name in _names(one):
        value = os.environ.get(name, "")
        url = urlsplit(value) if "://" in value else None
        secrets = [value, *([f"{url.path}?{url.query}", url.path, url.netloc] if url else [])]
        for secret in sorted((item for item in secrets if len(item) > 3), key=len, reverse=True):
            text = text.replace(secret, f"${{{name}}}")
    return " ".join(text.split())[:300]
