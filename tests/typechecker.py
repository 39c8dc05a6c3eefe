"""The run-time type checker of the test run: an int is fine where a float is asked for, as in Python's own type rules."""

from beartype import BeartypeConf, beartype

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
