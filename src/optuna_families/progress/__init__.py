"""Shows how far a running sweep is.

- `watcher`: the thread that reads the study, shows it, and tells the application's callbacks.
- `screen`: what it shows: a screen of the terminal's width, or a line, as plain functions.

Safe to change: everything in `screen`.
"""
