"""Starts the judging process: `python -m validation.gx`."""

from validation.startup import importing, load_late, on_one_stack, own_process

# For one expectation that compares histograms, for the charts in Data Docs of columns, for Amazon's services.
_SELDOM = ("scipy.stats", "altair", "boto3")


def _answer() -> None:
    with importing("pyspark"):
        load_late(*_SELDOM)
        from validation.gx.answering import main  # noqa: PLC0415, the collector would look at what it imports
    main()


own_process()
on_one_stack(_answer)
