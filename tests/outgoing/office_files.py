"""Office files written here, as small as their kinds allow."""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPES = f'<?xml version="1.0" encoding="UTF-8"?><Types xmlns="{_PACKAGE}/content-types">'
_RELS = f'<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="{_PACKAGE}/relationships">'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPE = "application/vnd.openxmlformats-officedocument"
_ODF = "urn:oasis:names:tc:opendocument:xmlns"
_RELS_TYPE = "application/vnd.openxmlformats-package.relationships+xml"
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def pack(target: Path, parts: Mapping[str, str | bytes]) -> Path:
    """A ZIP with these parts."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return target


def text_document(target: Path, *paragraphs: str, more: Mapping[str, str | bytes] | None = None) -> Path:
    """A docx; `more` are further parts."""
    body = "".join(f"<w:p><w:r><w:t>{escape(words)}</w:t></w:r></w:p>" for words in paragraphs)
    return pack(target, _package("word/document.xml", f"{_TYPE}.wordprocessingml.document.main+xml") | {
        "word/document.xml": f'<?xml version="1.0"?><w:document xmlns:w="{_W}"><w:body>{body}</w:body></w:document>',
        **(more or {}),
    })  # fmt: skip


def spreadsheet(target: Path, rows: Sequence[Sequence[str]], header: str = "") -> Path:
    """An xlsx whose cells are shared strings, as they mostly are."""
    cells = [cell for row in rows for cell in row]
    numbered = iter(range(len(cells)))
    lines = ["".join(f'<c t="s"><v>{next(numbered)}</v></c>' for _cell in row) for row in rows]
    data = "".join(f"<row>{line}</row>" for line in lines)
    head = f"<headerFooter><oddHeader>{escape(header)}</oddHeader></headerFooter>" if header else ""
    parts = _package("xl/workbook.xml", f"{_TYPE}.spreadsheetml.sheet.main+xml")
    strings = "".join(f"<si><t>{escape(cell)}</t></si>" for cell in cells)
    return pack(target, parts | {
        "[Content_Types].xml": str(parts["[Content_Types].xml"]).replace(
            "</Types>",
            f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.spreadsheetml.worksheet+xml"/>'
            f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_TYPE}.spreadsheetml.sharedStrings+xml"/>'
            "</Types>",
        ),
        "xl/workbook.xml": f'<workbook xmlns="{_S}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="1" sheetId="1" r:id="a"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'{_RELS}'
        f'<Relationship Id="a" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="b" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_S}"><sheetData>{data}</sheetData>{head}</worksheet>',
        "xl/sharedStrings.xml": f'<sst xmlns="{_S}">{strings}</sst>',
    })  # fmt: skip


def open_document(target: Path, *paragraphs: str, more: Mapping[str, str | bytes] | None = None) -> Path:
    """An odt."""
    body = "".join(f"<text:p>{escape(words)}</text:p>" for words in paragraphs)
    names = f'xmlns:office="{_ODF}:office:1.0" xmlns:text="{_ODF}:text:1.0"'
    return pack(target, {
        "mimetype": "application/vnd.oasis.opendocument.text",
        "content.xml": f"<office:document-content {names}><office:body><office:text>{body}"
        "</office:text></office:body></office:document-content>",
        **(more or {}),
    })  # fmt: skip


def _package(main: str, kind: str) -> dict[str, str | bytes]:
    return {
        "[Content_Types].xml": f'{_TYPES}<Default Extension="rels" ContentType="{_RELS_TYPE}"/>'
        f'<Override PartName="/{main}" ContentType="{kind}"/></Types>',
        "_rels/.rels": f'{_RELS}<Relationship Id="a" Type="{_OFFICE}/officeDocument" Target="{main}"/></Relationships>',
    }
