"""HTML and SVG from Python: text is escaped unless a function here made it."""

from html import escape


class Markup(str):
    """Text that is already markup; every other string is escaped when it becomes a child or an attribute."""

    __slots__ = ()


Child = str | None
"""Markup is kept, other text is escaped, None is left out."""

VOID = frozenset({"img", "input", "link", "meta", "br"})


def safe(text: Child) -> Markup:
    if text is None:
        return Markup("")
    return text if isinstance(text, Markup) else Markup(escape(text, quote=True))


def join(*children: Child) -> Markup:
    return Markup("".join(safe(child) for child in children))


def tag(name: str, /, *children: Child, **attributes: str | float | bool | None) -> Markup:
    """One element. A trailing underscore is dropped from attribute names and the others become hyphens (`class_`, `data_x`).

    True gives an attribute without a value; None and False leave it out.
    """
    written = ""
    for attribute, value in attributes.items():
        if value is None or value is False:
            continue
        key = attribute.rstrip("_").replace("_", "-")
        written += f" {key}" if value is True else f' {key}="{escape(str(value), quote=True)}"'
    return Markup(f"<{name}{written}>" if name in VOID else f"<{name}{written}>{join(*children)}</{name}>")


def definitions(facts: dict[str, str]) -> Markup:
    """Names and their values, side by side."""
    rows = (tag("div", tag("dt", name), tag("dd", value)) for name, value in facts.items())
    return tag("dl", *rows, class_="facts")
