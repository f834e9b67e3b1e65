"""What a verdict says, as sentences; `sweeps.reports.sentences` puts them together.

- `answers`: better, equal or unknown, and what it would take to know.
- `hints`: what to try next: another learning rate, another horizon, a longer search.
"""
