"""Notes on a result as sentences. Knows the sentences of both languages by kind of note; knows no figure."""

from api.lang import Lang, texts
from fhi.notes import Note


def note_text(note: Note, subject: str, lang: Lang) -> str:
    """A note as a sentence about its subject, named in that language."""
    periods = ("、" if lang == "zh" else ", ").join(note.periods)
    return texts("notes", lang)[note.code].format(subject=subject, periods=periods, detail=note.detail)
