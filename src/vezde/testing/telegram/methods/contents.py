"""Contents of a message as a bot gives them: texts, captions, photos, documents, markup."""

from typing import Any

from vezde.testing.telegram import formatting, keyboards
from vezde.testing.telegram.files import PHOTO_LIMIT
from vezde.testing.telegram.formatting import CAPTION_LIMIT, TEXT_LIMIT, Text
from vezde.testing.telegram.methods.request import Request, Upload
from vezde.testing.telegram.model import JSON, bad_request

Markup = dict[str, Any]


def text(request: Request) -> JSON:
    """`text` with its entities, neither empty nor too long."""
    parsed = formatting.read(
        request.text("text"),
        parse_mode=request.text("parse_mode"),
        entities=request.listed("entities"),
    )
    if not parsed.text:
        raise bad_request("message text is empty")
    if len(parsed.text) > TEXT_LIMIT:
        raise bad_request("message is too long")
    return parsed.fields("text")


def caption(given: JSON) -> JSON:
    """`caption` of the parameters, or of one of an album's items."""
    parsed: Text = formatting.read(
        str(given.get("caption") or ""),
        parse_mode=str(given.get("parse_mode") or ""),
        entities=given.get("caption_entities") or [],
    )
    if len(parsed.text) > CAPTION_LIMIT:
        raise bad_request("message caption is too long")
    return parsed.fields("caption")


def caption_of(request: Request) -> JSON:
    return caption({**request.params, "caption_entities": request.listed("caption_entities")})


def markup(request: Request) -> Markup | None:
    return keyboards.read(request.json("reply_markup"))


def inline_only(request: Request) -> list[list[JSON]] | None:
    """The markup of an edit: an inline keyboard or none."""
    given = markup(request)
    if given is not None and "inline_keyboard" not in given:
        raise bad_request("inline keyboard expected")
    return (given or {}).get("inline_keyboard") or None


def photo(request: Request, given: Any, field: str = "photo") -> JSON:
    """`{"photo": [sizes]}` of an upload, a file id or an address."""
    source = _source(request, given, field)
    if isinstance(source, Upload):
        if len(source.content) > PHOTO_LIMIT:
            raise bad_request(
                f"file of size {len(source.content)} bytes is too big for a photo; "
                f"the maximum size is {PHOTO_LIMIT} bytes"
            )
        sizes = request.world.files.sizes(source.content)
        return {"photo": [one.api() for one in request.world.files.add_photo(sizes)]}
    if _is_address(source):
        return {"photo": [one.api() for one in request.world.files.add_remote_photo(source)]}
    known = request.world.files.get(source)
    if known is None or "width" not in known.fields:
        raise _no_such_file()
    return {"photo": [known.api()]}


def document(request: Request, given: Any, field: str = "document") -> JSON:
    """`{"document": …}` of an upload, a file id or an address."""
    source = _source(request, given, field)
    files = request.world.files
    if isinstance(source, Upload):
        return {"document": files.add_document(source.content, name=source.name).api()}
    if _is_address(source):
        name = source.split("?")[0].rpartition("/")[2] or "file"
        return {"document": files.add_document(None, name=name, size=0, url=source).api()}
    known = files.get(source)
    if known is None or "file_name" not in known.fields:
        raise _no_such_file()
    return {"document": known.api()}


def media(request: Request, given: Any) -> JSON:
    """One InputMedia: photo or document with its caption."""
    said = "can't parse InputMedia: "
    if not isinstance(given, dict):
        raise bad_request(f"{said}expected an Object")
    if not given.get("media"):
        raise bad_request(f"{said}media not found")
    readers = {"photo": photo, "document": document}
    reader = readers.get(str(given.get("type")))
    if reader is None:
        raise bad_request(f"{said}the fake takes photos and documents alone")
    return reader(request, given["media"], "media") | caption(given)


def _source(request: Request, given: Any, field: str) -> Upload | str:
    """The upload that the parameter is or points to (`attach://name`), else its text."""
    name = str(given or "")
    if name.startswith("attach://"):
        field, name = name.removeprefix("attach://"), ""
    if not name and (upload := request.uploads.get(field)):
        if not upload.content:
            raise bad_request("file must be non-empty")
        return upload
    if not name:
        kind = "document" if field == "document" else "photo"
        raise bad_request(f"there is no {kind} in the request")
    return name


def _is_address(source: str) -> bool:
    return source.startswith(("http://", "https://"))


def _no_such_file() -> Exception:
    return bad_request("wrong file identifier/HTTP URL specified")
