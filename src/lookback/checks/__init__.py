"""Checks of the exercises: they run what a learner wrote and answer in words.

Each chapter has a file with a `Sheet` called `check`:

    from lookback.checks.handed_along import check

    check("last_state", last_state)
    check.progress()
"""
