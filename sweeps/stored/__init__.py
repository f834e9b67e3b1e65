"""Find stored runs and where they belong.

- `find_run`: the run that a run id, a folder or a study name refers to.
- `select_run`: the run to use of a study: the recommended one, else the one with the best loss.
- `run_program`: torch program and command of a stored run.
- `find_destination`: MLflow store and experiment of a run that is sent later.

Everything here only reads. Files of older versions must stay readable.
"""
