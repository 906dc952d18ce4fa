"""Mirrors: a tenant's repository pushed to plain git remotes elsewhere, after each run.

address.py   where a mirror may be, pure
refs.py      what is pushed and what is left alone, pure
login.py     what git needs to log in there, for as long as it needs it
remote.py    the three things that are done with a remote: list, push, fetch
pushing.py   one mirror brought up to date, and what came of it
services.py  adding and removing
jobs.py      the queue's doors
"""
