r"""Texts without the passwords of the addresses in them.

A password may hold any character. It ends where its word does, or where the quoted value ends in
which it stands (a quote before ``,`` ``]`` ``}`` ``:`` or a space; ``\"`` is no end): masked JSON
stays JSON.
"""

import re

_ESCAPED = r"""\\["'\\]|\\(?!["'\\])"""
_END = r"""["'](?:[,\]}:\s]|$)"""
# Up to the last @ of a word: a password with an unescaped @ is still one.
_USER_INFO = re.compile(rf"""(\w://[^\s:/@"']*):(?:{_ESCAPED}|(?!://|{_END})[^\s\\])*@""")
_ADDRESS = re.compile(r"\w://\S+")
_NAMES = r"[\w.-]*(?:passw(?:or)?d|passphrase|pwd|secret|token|api_?key)[\w.-]*"
_QUERY = re.compile(rf"([?&;]{_NAMES}=)(?:{_ESCAPED}|(?!{_END})[^\s&;\\])+", re.IGNORECASE)


def masked(text: str) -> str:
    """Hide the password of every address in a text.

    >>> masked("storage=postgresql://me:secret@db/studies")
    'storage=postgresql://me:***@db/studies'
    >>> masked("http://me:p@ss@host, postgresql://db/studies?user=me&password=secret")
    'http://me:***@host, postgresql://db/studies?user=me&password=***'
    """
    return _ADDRESS.sub(_masked_query, _USER_INFO.sub(r"\1:***@", text))


def _masked_query(address: re.Match[str]) -> str:
    return _QUERY.sub(r"\1***", address[0])
