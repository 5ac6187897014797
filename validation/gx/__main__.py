"""Starts the judging process: `python -m validation.gx`."""

import gc

gc.set_threshold(100_000)  # before the imports, which make a million objects that stay

from validation.gx.late import SELDOM_USED, load_late  # noqa: E402

load_late(*SELDOM_USED)

from validation.gx.answering import main  # noqa: E402

main()
