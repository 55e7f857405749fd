"""Sweeps: many trainings that search settings together, some of which are stopped early.

space.py     what is searched: lists of values and ranges, and their combinations
rules.py     which trials go on and which are stopped; pure
record.py    a sweep's folder and all that can be read from it
search.py    the settings of the next trial, and which settings matter
going.py     what is done with a sweep: start it, go on with it, pause it, add trials
"""
