"""Texts as Telegram takes them: `parse_mode` HTML, entities in UTF-16 units, trimming, limits.

What is allowed, and the words of each refusal, follow the server's own parser (`parse_html` in
td/telegram/MessageEntity.cpp) and https://core.telegram.org/bots/api#html-style.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from vezde.testing.telegram.model import ApiError, bad_request

TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
BYTES_LIMIT = 1 << 15

SPACES = frozenset(" \t\r\n\0\b\v")
TYPES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "u": "underline",
    "ins": "underline",
    "tg-spoiler": "spoiler",
    "span": "spoiler",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "tg-emoji": "custom_emoji",
    "tg-time": "date_time",
}
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
# What the tag takes from which attribute, and the prefix that is cut off.
ARGUMENTS = {
    ("a", "href"): "",
    ("code", "class"): "language-",
    ("span", "class"): "tg-",
    ("tg-emoji", "emoji-id"): "",
    ("tg-time", "unix"): "",
}
PLAIN = re.compile(r"[^<&]+")
NAME_TOKEN = re.compile(r"[a-zA-Z0-9.-]")
REFERENCE = re.compile(r"&(?:#x([0-9a-fA-F]*)|#([0-9]*)|([a-zA-Z]*));?")
USER_LINK = re.compile(r"tg:(?://)?user\?id=(\d+)$")
FOUND = re.compile(
    r"(?<![\w/])(?P<bot_command>/[a-zA-Z0-9_]{1,64}(?:@\w{3,32})?)(?![\w/])"
    r"|(?P<url>https?://[^\s<>\"«»]+[^\s<>\"«».,;:!?)\]])"
    r"|(?<!\w)(?P<mention>@[a-zA-Z]\w{3,31})"
    r"|(?<!\w)(?P<hashtag>\#\w*[^\W\d]\w*)"
)

Entity = dict[str, Any]


@dataclass(frozen=True)
class Text:
    """A text without markup and its entities; `entities` as the Bot API gives them."""

    text: str
    entities: list[Entity] = field(default_factory=list)

    def fields(self, name: str) -> dict[str, Any]:
        """`{"text": …, "entities": …}` or `{"caption": …, "caption_entities": …}`."""
        listed = "entities" if name == "text" else f"{name}_entities"
        told: dict[str, Any] = {name: self.text} if self.text else {}
        return told | ({listed: self.entities} if self.entities else {})


def utf16(text: str) -> int:
    """Its length in UTF-16 units, which entities count in."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def read(text: str, *, parse_mode: str = "", entities: list[Entity] | None = None) -> Text:
    """The text as the server keeps it: parsed, trimmed, with the entities it finds by itself.

    Raises `ApiError` for markup that cannot be parsed.
    """
    if len(text.encode("utf-8", "surrogatepass")) > BYTES_LIMIT:
        raise bad_request("text is too long")
    mode = parse_mode.lower()
    if mode in {"", "none"} or not text:
        parsed = Text(text, list(entities or []))
    elif mode == "html":
        parsed = parse_html(text)
    elif mode in {"markdown", "markdownv2"}:
        raise bad_request("the fake reads parse_mode HTML only")
    else:
        raise bad_request("unsupported parse_mode")
    trimmed = _trimmed(parsed)
    return Text(trimmed.text, _with_found(trimmed))


def parse_html(text: str) -> Text:
    """Raises `ApiError` in Telegram's own words: unclosed, unknown or crossing tags."""
    parser = _Html(text.replace("\0", ""))
    parser.run()
    return Text("".join(parser.out), _sorted(parser.entities))


@dataclass
class _Open:
    tag: str
    offset: int
    argument: str
    started: int  # how many pieces of `out` came before it


class _Html:
    """One pass over the text; `out` holds pieces of plain text, `offset` its UTF-16 length."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.offset = 0
        self.out: list[str] = []
        self.open: list[_Open] = []
        self.entities: list[Entity] = []

    def run(self) -> None:
        while self.at < len(self.text):
            if self.text[self.at] == "<":
                if self.text.startswith("</", self.at):
                    self._end_tag()
                else:
                    self._start_tag()
            elif plain := PLAIN.match(self.text, self.at):
                self._keep(plain[0], plain.end())
            else:
                letter, end = _reference(self.text, self.at) or ("&", self.at + 1)
                self._keep(letter, end)
        if self.open:
            tag = self.open[-1].tag
            raise _broken(f'Can\'t find end tag corresponding to start tag "{tag}"')

    def _keep(self, text: str, at: int) -> None:
        self.out.append(text)
        self.offset += utf16(text)
        self.at = at

    def _start_tag(self) -> None:
        begin = self.at
        self.at += 1
        tag = self._until(SPACES | {">"}).lower()
        if self.at >= len(self.text):
            raise _broken(f"Unclosed start tag at byte offset {self._bytes(begin)}")
        if tag not in TYPES:
            raise _broken(f'Unsupported start tag "{tag}" at byte offset {self._bytes(begin)}')
        argument = ""
        while (given := self._attribute(tag, begin)) is not None:
            name, value = given
            if tag == "blockquote" and name == "expandable":
                argument = "1"
            elif (prefix := ARGUMENTS.get((tag, name))) is not None and value.startswith(prefix):
                argument = value.removeprefix(prefix)
        if tag == "span" and argument != "spoiler":
            raise _broken(
                f'Tag "span" must have class "tg-spoiler" at byte offset {self._bytes(begin)}'
            )
        self.open.append(_Open(tag, self.offset, argument, len(self.out)))

    def _attribute(self, tag: str, begin: int) -> tuple[str, str] | None:
        """The next attribute of the tag, None after `>`."""
        self._skip_spaces()
        if self._peek() == ">":
            self.at += 1
            return None
        name = self._until(SPACES | set("=>/\"'"))
        if not name and self._peek():
            raise _broken(
                f'Empty attribute name in the tag "{tag}" at byte offset {self._bytes(begin)}'
            )
        self._skip_spaces()
        value = ""
        if self._peek() == "=":
            self.at += 1
            self._skip_spaces()
            value = self._value()
        if not self._peek():
            raise _broken(f'Unclosed start tag "{tag}" at byte offset {self._bytes(begin)}')
        return name, value

    def _value(self) -> str:
        quote = self._peek()
        if quote in {'"', "'"}:
            self.at += 1
            written = self._until({quote})
            self.at += 1
            return REFERENCE.sub(lambda match: _character(match) or match[0], written)
        begin = self.at
        while NAME_TOKEN.match(self._peek()):
            self.at += 1
        if self._peek() not in SPACES | {">", ""}:
            raise _broken(f"Unexpected end of name token at byte offset {self._bytes(begin)}")
        return self.text[begin : self.at].lower()

    def _end_tag(self) -> None:
        begin = self.at
        if not self.open:
            raise _broken(f"Unexpected end tag at byte offset {self._bytes(begin)}")
        self.at += 2
        tag = self._until(SPACES | {">"}).lower()
        self._skip_spaces()
        if self._peek() != ">":
            raise _broken(f"Unclosed end tag at byte offset {self._bytes(begin)}")
        self.at += 1
        opened = self.open.pop()
        if tag not in {"", opened.tag}:
            raise _broken(
                f"Unmatched end tag at byte offset {self._bytes(begin)}, "
                f'expected "</{opened.tag}>", found "</{tag}>"'
            )
        if self.offset > opened.offset:
            self._close(opened)

    def _close(self, opened: _Open) -> None:
        entity: Entity = {
            "type": TYPES[opened.tag],
            "offset": opened.offset,
            "length": self.offset - opened.offset,
        }
        if opened.tag == "a":
            entity |= _link(opened.argument or "".join(self.out[opened.started :]))
        elif opened.tag == "blockquote" and opened.argument:
            entity["type"] = "expandable_blockquote"
        elif opened.tag == "tg-emoji":
            if not opened.argument.isdigit() or not int(opened.argument):
                raise _broken("Invalid custom emoji identifier specified")
            entity["custom_emoji_id"] = opened.argument
        elif opened.tag == "tg-time":
            entity["unix_time"] = int(opened.argument) if opened.argument.isdigit() else 0
        elif opened.tag in {"pre", "code"} and self._joins(opened, entity):
            return
        if entity["type"]:
            self.entities.append(entity)

    def _joins(self, opened: _Open, entity: Entity) -> bool:
        """`<pre><code class="language-…">` is one entity with a language."""
        last = self.entities[-1] if self.entities else None
        if opened.tag == "code":
            entity["_language"] = opened.argument
            return False
        same = last and (last["offset"], last["length"]) == (entity["offset"], entity["length"])
        if last and same and last["type"] == "code" and (language := last.pop("_language", "")):
            last |= {"type": "pre", "language": language}
            return True
        return False

    def _peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def _until(self, ends: set[str] | frozenset[str]) -> str:
        begin = self.at
        while self.at < len(self.text) and self.text[self.at] not in ends:
            self.at += 1
        return self.text[begin : self.at]

    def _skip_spaces(self) -> None:
        while self._peek() in SPACES and self._peek():
            self.at += 1

    def _bytes(self, at: int) -> int:
        return len(self.text[:at].encode("utf-8", "surrogatepass"))


def _broken(said: str) -> ApiError:
    return bad_request(f"can't parse entities: {said}")


def _reference(text: str, at: int) -> tuple[str, int] | None:
    """The character that `&lt;` or `&#1070;` stands for and where the text goes on."""
    match = REFERENCE.match(text, at)
    letter = _character(match) if match else None
    return (letter, match.end()) if match and letter else None


def _character(match: re.Match[str]) -> str | None:
    hexadecimal, decimal, name = match.groups()
    if name is not None:
        return NAMED.get(name)
    digits = hexadecimal or decimal or "0"
    code = int(digits, 16 if hexadecimal else 10)
    if not 0 < code < 0x10FFFF or len(digits) > 7 or 0xD800 <= code <= 0xDFFF:
        return None
    return chr(code)


def _link(url: str) -> Entity:
    """A link, a mention of a user by id, or nothing when it is no address."""
    if match := USER_LINK.match(url):
        return {"type": "text_mention", "user": {"id": int(match[1])}}
    if not re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", url):
        url = f"http://{url}"
    if "." not in url and not url.startswith(("tg:", "ton:", "tonsite:", "mailto:", "tel:")):
        return {"type": ""}
    return {"url": url}


def _sorted(entities: list[Entity]) -> list[Entity]:
    for entity in entities:
        entity.pop("_language", None)
    return sorted(entities, key=lambda entity: (entity["offset"], -entity["length"]))


def _trimmed(parsed: Text) -> Text:
    """Spaces at both ends go, and entities with them."""
    text = parsed.text.rstrip()
    start = utf16(text) - utf16(text.lstrip())
    text = text.lstrip()
    length = utf16(text)
    if not start and text == parsed.text:
        return parsed
    kept = []
    for entity in parsed.entities:
        begin = max(int(entity["offset"]) - start, 0)
        end = min(int(entity["offset"]) + int(entity["length"]) - start, length)
        if end > begin:
            kept.append(entity | {"offset": begin, "length": end - begin})
    return Text(text, kept)


def _with_found(parsed: Text) -> list[Entity]:
    """Commands, addresses, mentions and hashtags, unless markup of a link or code covers them."""
    taken = [
        (entity["offset"], entity["offset"] + entity["length"])
        for entity in parsed.entities
        if entity["type"] in {"text_link", "text_mention", "code", "pre"}
    ]
    found = []
    for match in FOUND.finditer(parsed.text):
        begin = utf16(parsed.text[: match.start()])
        length = utf16(match[0])
        if not any(begin < end and start < begin + length for start, end in taken):
            found.append({"type": match.lastgroup, "offset": begin, "length": length})
    return _sorted([*parsed.entities, *found]) if found else parsed.entities
