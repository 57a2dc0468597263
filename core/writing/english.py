"""English words that matter for layout: those that begin with a capital, and those that belong together."""

_CAPITALS = """i i'm i'll i'd i've mister mrs monday tuesday wednesday thursday friday saturday sunday
january february april june july september october november december"""

_JOINTS = """and but or nor so because although though while when where whether if that which who whose than as until
unless about above across after against along among around at before behind below beside between by down during for
from in inside into near of off on onto over through to toward under up upon with without"""

_LEADERS = """a an the this these those every each no some any my your his her its our their i you he she it we they
am is are was were be been do does did has have had will would shall should can could may might must not
mister mrs miss doctor"""

_NUMBERS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"""

CAPITALS = frozenset(_CAPITALS.split())
"""Words that begin with a capital wherever they stand. May, March and August are left out: they are mostly other
words.
"""

JOINTS = frozenset(_JOINTS.split())
"""Conjunctions and prepositions: a line breaks well before them, and badly after them."""

LEADERS = JOINTS | frozenset(_LEADERS.split())
"""Words that lean on the next one: articles, pronouns, auxiliaries, titles."""

NUMBERS = frozenset(_NUMBERS.split())
"""Number words; between two of them, "oh" is a zero."""
