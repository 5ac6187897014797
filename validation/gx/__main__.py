"""Starts the judging process: `python -m validation.gx`."""

import gc

gc.disable()  # the imports make a million objects, and all of them stay

from validation.gx.late import SELDOM_USED, load_late  # noqa: E402

load_late(*SELDOM_USED)

from validation.gx.answering import main  # noqa: E402

gc.freeze()
gc.enable()
main()
