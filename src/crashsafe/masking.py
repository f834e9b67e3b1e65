"""Texts without the passwords of the addresses in them."""

import re

# Up to the last @ of a word: a password with an unescaped @ is still one. Neither the next address
# nor the end of a quoted value, as in JSON, belongs to it.
# Hydra writes a colon in a value as \: in some files, and JSON each backslash as two.
_USER_INFO = re.compile(r"""(\w\\*://[^\s:/@"'\\]*\\*):(?:(?!\\*://|["'][,\]}:])\S)*@""")
_ADDRESS = re.compile(r"\w\\*://\S+")
_QUERY = re.compile(
    r"""([?&;][\w.-]*(?:passw(?:or)?d|passphrase|pwd|secret|token|api_?key)[\w.-]*=)[^\s&;"']+""",
    re.IGNORECASE,
)


def masked(text: str) -> str:
    r"""Hide the password of every address in a text.

    >>> masked("storage=postgresql://me:secret@db/studies")
    'storage=postgresql://me:***@db/studies'
    >>> masked("http://me:p@ss@host, postgresql://db/studies?user=me&password=secret")
    'http://me:***@host, postgresql://db/studies?user=me&password=***'
    >>> masked(r"tracking.uri=http\://me\:secret@host\:5000")
    'tracking.uri=http\\://me\\:***@host\\:5000'
    """
    return _ADDRESS.sub(_masked_query, _USER_INFO.sub(r"\1:***@", text))


def _masked_query(address: re.Match[str]) -> str:
    return _QUERY.sub(r"\1***", address[0])
