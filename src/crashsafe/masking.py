"""Hides passwords of URLs in texts."""

import re

# Up to the last @ of a word, since passwords may contain an unescaped @, but not beyond the next
# URL or the end of a quoted JSON value. Hydra writes a colon as \: in some files, JSON as \\:.
_USER_INFO = re.compile(r"""(\w\\*://[^\s:/@"'\\]*\\*):(?:(?!\\*://|["'][,\]}:])\S)*@""")
_ADDRESS = re.compile(r"\w\\*://\S+")
_QUERY = re.compile(
    r"""([?&;][\w.-]*(?:passw(?:or)?d|passphrase|pwd|secret|token|api_?key)[\w.-]*=)[^\s&;"']+""",
    re.IGNORECASE,
)


def masked(text: str) -> str:
    r"""Hide the password of every URL in a text.

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
