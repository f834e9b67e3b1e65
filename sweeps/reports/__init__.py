"""What a sweep found, from plain data to tables, pages and plots; nothing here trains.

`reading` makes a `Review` of a stored sweep, `writing` all files of it.
"""

from sweeps.reports.review import (
    Excluded,
    FamilyReview,
    Pick,
    Recommended,
    Review,
    TrialRow,
    Verdict,
)

__all__ = ["Excluded", "FamilyReview", "Pick", "Recommended", "Review", "TrialRow", "Verdict"]
