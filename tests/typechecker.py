"""How shapes and types are checked at run time: whole numbers pass for floats, as Python has it."""

from beartype import BeartypeConf, beartype

checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
