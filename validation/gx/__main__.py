"""Starts the judging process: `python -m validation.gx`."""

import gc

gc.disable()  # the imports make a million objects, and all of them stay

from validation.late import load_late  # noqa: E402

# For one expectation that compares histograms, for the charts in Data Docs of columns, for Amazon's services.
load_late("scipy.stats", "altair", "boto3")

from validation.gx.answering import main  # noqa: E402

gc.freeze()
gc.enable()
main()
