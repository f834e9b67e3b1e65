"""End of a sweep: retrain the best trials on new seeds, rank the families, write the verdict.

Read in this order:

- `end_sweep`: Hydra callback at the start, and all that happens after the last trial.
- `review_sweep`: makes a new verdict if one is needed, records its trials, writes the files.
- `decide`: the verdict itself: finalists, ranking, robustness, recommendation.
- `judging`: what the verdict is made from: the best trials, trained anew.
- `sweep_result`: params, metrics and history of the sweep's own run.
- `retrain`: trains finalists on the selection seeds and on the fresh seeds.
- `final_losses`: final losses of many runs within the available memory.
- `cost`: how many trainings the verdict takes; `time_estimate`: how long all of it takes.
- `verdict_lock`: one process at a time evaluates a sweep.

The statistics are in `lrlab.ranking`. Seeds of tuning, selection and evaluation must stay disjoint.
"""
