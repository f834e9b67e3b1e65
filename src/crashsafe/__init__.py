"""What processes that may be killed at any time need to share a database.

Used by the sweeper (`hydra_plugins.optuna_families`) and the laboratory (`lrlab`); knows neither,
and no torch, Hydra, Optuna or MLflow. SQLAlchemy is imported inside functions only, because
importing it takes a noticeable part of a short command. Import from the modules:

`processes`
    The name of this process (`this_process`), and whether a named process is alive, dead, or
    cannot be seen from here (`liveness`). A process id alone is no name: ids are used again after
    a restart, and mean something else in another container.

`locks`
    Locks between processes, which end with their holder: `file_lock`, `advisory_lock` (in
    PostgreSQL), and `database_lock`, which takes the one that fits a database. Each gives up with
    one line after a limit.

`addresses`
    Database addresses, read and written with SQLAlchemy's URL object: `sqlite_address` and
    `sqlite_file` (a file's name may hold ``%``, ``?`` and spaces), `absolute`, `with_driver`.

`masking`
    `masked` hides the passwords of all addresses in a text.

`creation`
    `create_file` builds a SQLite file under another name and renames it, so that nobody ever
    sees half of it.
"""
