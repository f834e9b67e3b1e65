"""The process that writes runs to MLflow while other processes train.

Read in this order:

1. `protocol`: the messages that `MlflowTracker` sends, lines of JSON.
2. `writer_process`: the main loop; reads messages, writes at intervals, retries.
3. `mlflow_writer`: `MlflowWriter`, which runs to write and how far each has been written.
4. `update_reader`: reads folders as updates, and finds the ids of parents.
5. `chosen_files`: which files of a run are sent.
6. `deadline`: gives up after a time without progress.

No module elsewhere imports MLflow before `mlflow_writer` has set its environment variables.
"""
