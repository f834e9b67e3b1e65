"""Render a sweep as tables, pages and plots; nothing here trains.

Read in this order:

- `review`: the data of a sweep (`Review`) as plain dataclasses.
- `verdict_data`: the data of `verdict.json` (`Verdict`).
- `comparison`: what follows from a review: order of the families, the simplest of the tied ones.
- `read_review`: makes a `Review` from the study database, the trials' folders and the verdict.
- `trial_folders`: what is read from a trial's folder.
- `wall_time`: share of the wall time of trials that ran at the same time.
- `tables`: one table row for each family.
- `pareto`: several objectives: the trials that no other one beats, in the place of a ranking.
- `sentences`: the answer and the notes as sentences.
- `words`: the three answers and the hints, as sentences.
- `formatting`: names and numbers as text.

`output` writes the files and prints; `plots` draws the charts. To add a column, change `tables`;
to add a sentence, change `sentences`. Fields of the dataclasses in `verdict_data` are stored in
`verdict.json`: new ones need a default, old ones keep their names.
"""

from sweeps.reports.review import FamilyReview, Review, TrialRow
from sweeps.reports.verdict_data import (
    Excluded,
    Recommended,
    Robustness,
    SelectedTrial,
    Verdict,
)

__all__ = [
    "Excluded",
    "FamilyReview",
    "Recommended",
    "Review",
    "Robustness",
    "SelectedTrial",
    "TrialRow",
    "Verdict",
]
