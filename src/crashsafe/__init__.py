"""For processes that share a database and may be killed at any time.

Used by the sweeper (`optuna_families`) and the laboratory (`lrlab`); imports neither, and no torch,
Hydra, Optuna or MLflow. SQLAlchemy is imported inside functions only: importing it would take a
noticeable part of a short command. Import from the modules:

`processes`
    The name of this process (`this_process`), and whether a named process is alive, dead or
    unknown (`liveness`). A process id alone is not enough: ids are reused after a restart, and
    another container has its own.

`locks`
    Locks between processes, released when their holder dies: `file_lock`, `advisory_lock` (in
    PostgreSQL), and `database_lock`, which chooses between them. Each has a timeout.

`addresses`
    Database URLs: `sqlite_address` and `sqlite_file` (file names may contain ``%``, ``?`` and
    spaces), `absolute`, `with_driver`.

`masking`
    `masked` hides the passwords of all URLs in a text.

`safe_console`
    `SafeConsole`, on which no text can control the terminal.

`first_line`
    A line on the terminal until a command's first output: its imports take seconds.

`safe_logging`
    The same for log lines and warnings: `make_logging_safe`; and `visible`, for a text.

`creation`
    `create_file` builds a SQLite file under a temporary name and renames it, so that no process
    sees an incomplete one.

`fault_points`
    Named steps at which tests kill the process.

`fast_paths`
    The switch that turns off everything that exists for speed only.

Liveness must never say DEAD of a process that lives: two workers would run one trial. The format of
process names and lock files is shared with processes of older versions, so do not change it.
"""
