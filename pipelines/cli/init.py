"""`targetsplit init`."""

from __future__ import annotations

import click


@click.command("init", short_help="Look at files and write a commented first spec.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("-o", "--output", "out", metavar="FILE", help="Write the spec there instead of printing it.")
def command(paths: tuple[str, ...], out: str | None) -> None:
    """Look at files, folders or globs and print a commented first spec, with the reason for each guess."""
    from pipelines.init import suggest_spec  # noqa: PLC0415
    from pipelines.sources.filesystems import exists, locate, write_bytes_atomic  # noqa: PLC0415
    from splitting.errors import SpecError  # noqa: PLC0415

    if out is not None and exists(locate(out)):
        raise SpecError(f"{out} exists; choose another file, or delete it first", "arguments")
    apart = out is not None and "/" in out
    text = suggest_spec([locate(path).uri if apart else path for path in paths])
    if out is None:
        click.echo(text, nl=False)
        return
    write_bytes_atomic(locate(out), text.encode())
    click.echo(f"Wrote {out}. Read it, confirm the target, then: targetsplit plan {out} -o RUN")
