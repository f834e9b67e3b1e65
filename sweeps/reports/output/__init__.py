"""Write and print a review.

- `write_files`: writes every file of a review.
- `terminal`: text for the terminal.
- `markdown`: `verdict.md`.
- `html_page`: `verdict.html`, one file with all charts inside.

All of them use the rows of `reports.tables` and the sentences of `reports.sentences`, so that
content is changed there and layout here.
"""
