"""The pages that reviewers read: from what a run holds to one HTML file. Pure: no input or output, no clock, no Beam.

`facts.py` is what comes in, `view.py` and its neighbours say what is shown (frozen values, tested without HTML),
`charts.py` draws, `page.py` fills the templates. What reads and writes runs is in `pipelines/reporting.py`.
"""
