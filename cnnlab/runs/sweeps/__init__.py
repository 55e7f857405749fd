"""Sweeps: many trainings that search settings together, some of which are stopped early.

space.py     what is searched: lists of values and ranges, and their combinations
rules.py     which trials go on and which are stopped; pure
record.py    a sweep's folder and all that can be read from it
trial.py     a trial: its run, what it tries, what was decided of it
planning.py  what is checked before the first trial is made
making.py    how trials come about
search.py    the settings of the next trial, and which settings matter
going.py     what is done with a sweep: start it, go on with it, pause it, add trials
overview.py  a sweep at a moment, as pages and commands show it
"""
