"""Charts of a review: first as plain data, then as PNG files.

- `charts`: the chart types as dataclasses.
- `ranking_chart`: list of all charts, and the chart of the ranking.
- `training_charts`: learning rate and loss over the epochs.
- `pareto_chart`: the trials by two objectives, and those that no other one beats.
- `search_charts`: progress of the search, parameter importances, loss over learning rate.
- `styles`: colour, dash and marker of each family.
- `png_charts`: draws charts with matplotlib; `png_panels` draws those of many small ones.

To add a chart, write a function `Review -> Chart | None` and add it to `ranking_chart.charts`.
"""
