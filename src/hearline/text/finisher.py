"""From an engine's words to the sentence that is reported: the steps in their order.

Filler words go first, then numbers get digits, then special words are filtered as they would be
read, and what is left is punctuated. Knows no audio and no session.
"""

from dataclasses import dataclass

from hearline.speech import Hypothesis
from hearline.text.fillers import remove_fillers
from hearline.text.languages import language_of
from hearline.text.number_forms import write_numbers
from hearline.text.punctuation import punctuate, strip_marks
from hearline.text.special_words import SpecialWords, WordFilter
from hearline.text.tokens import cut, join, spell


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a task wants its text.

    Attributes:
        punctuation: Whether to have punctuation, and sentence case where the engine has none.
        numbers: Whether to write numbers in digits.
        fluent: Whether to leave filler words out.
        special_words: Words to mask or to leave out.

    """

    punctuation: bool = True
    numbers: bool = False
    fluent: bool = False
    special_words: SpecialWords | None = None


class Finisher:
    """Writes the hypotheses of one session; it remembers nothing from one to the next."""

    def __init__(self, style: Style, *, language: str | None, punctuated: bool) -> None:
        """Prepare.

        Args:
            style: What to do.
            language: Code of the language that is expected, None if any.
            punctuated: Whether the engine's text has its own punctuation and case, which stay.

        """
        self._style = style
        self._language = language
        self._punctuated = punctuated
        self._filter = style.special_words and WordFilter(style.special_words)

    def finish(self, hypothesis: Hypothesis, *, complete: bool) -> Hypothesis:
        """Return a hypothesis as it is to be read.

        Args:
            hypothesis: As an engine gives it.
            complete: Whether the sentence ends here, and not merely the words so far.

        Returns:
            The words, whose texts and punctuation make up the text exactly; none if the engine
            gave none.

        """
        tokens = cut(hypothesis)
        language = language_of(spell(tokens), self._language)
        if self._style.fluent:
            tokens = remove_fillers(tokens, language)
        if self._style.numbers:
            tokens = write_numbers(tokens, language)
        if self._filter is not None:
            tokens = self._filter.apply(tokens)
        if not self._style.punctuation:
            tokens = strip_marks(tokens) if self._punctuated else tokens
        elif not self._punctuated:
            tokens = punctuate(tokens, language, complete=complete)
        finished = join(tokens)
        return finished if hypothesis.words else Hypothesis(text=finished.text)
