"""Turns what a user typed into an FTS5 expression that can neither fail nor mean something else."""


def match_expression(typed: str) -> str | None:
    """Give the expression that finds items with all the words, the last one as a prefix; None without any word.

    FTS5 has its own language (``AND``, ``title:``, ``*``, ``^`` …), and text that breaks its rules is an error.
    Every word is therefore quoted, which makes it a plain string; a quote inside is doubled. What stands between
    two blanks is one phrase: ``d'Urbervilles`` finds those two words next to each other.
    """
    # SQLite would end the expression at a zero byte, in the middle of a quoted word
    words = [word for word in typed.replace("\0", " ").split() if any(letter.isalnum() for letter in word)]
    if not words:
        return None
    return " ".join('"' + word.replace('"', '""') + '"' for word in words) + "*"
