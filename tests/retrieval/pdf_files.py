"""Small PDFs, written with pypdf: lines of text on pages, with an outline if wanted."""

from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject


def write_pdf(path, pages, outline=()):
    """`pages` are lists of lines; `outline` holds (title, page from 0, number of its parent or None)."""
    writer = PdfWriter()
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    for lines in pages:
        page = writer.add_blank_page(width=595, height=842)
        shown = "".join(f"({_escaped(line)}) Tj T* " for line in lines)
        stream = DecodedStreamObject()
        stream.set_data(f"BT /F1 10 Tf 12 TL 40 800 Td {shown}ET".encode("latin-1"))
        page[NameObject("/Contents")] = writer._add_object(stream)
        fonts = DictionaryObject({NameObject("/F1"): writer._add_object(font)})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    made = []
    for title, page, parent in outline:
        above = None if parent is None else made[parent]
        made.append(writer.add_outline_item(title=title, page_number=page, parent=above))
    writer.write(path)
    return path


def _escaped(line):
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
