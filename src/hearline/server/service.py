"""What the service is made of, apart from sockets: an engine, its scheduler, and who is served.

Turns a ``run-task`` into a session in the scheduler's care, or says why not.
"""

from typing import Final

from hearline.audio.decoder import open_decoder
from hearline.engines.base import Engine
from hearline.errors import InvalidParameter, ModelNotFound, Overloaded, shown
from hearline.scheduler import Deliver, Job, Scheduler
from hearline.session import Session
from hearline.speech import Hints, Turn
from hearline.text.finisher import Finisher, Style
from hearline.text.special_words import read_special_words
from hearline.vad.detector import Detector
from hearline.vad.rules import SilenceRule
from hearline.vad.segmenter import Segmenter
from hearline.wire.context import read_context
from hearline.wire.messages import Json, RunTask
from hearline.wire.parameters import Parameters, read_parameters

SERVED_MODELS: Final = frozenset(
    {
        "fun-asr-realtime",
        "fun-asr-realtime-2025-11-07",
        "fun-asr-realtime-2025-09-15",
        "fun-asr-realtime-2026-02-28",
        "paraformer-realtime-v1",
        "paraformer-realtime-v2",
    }
)
"""DashScope's names that the one engine answers to, beside its own (spec 0.1)."""

_PARAFORMER: Final = "paraformer"
"""How the names of the models begin that write numbers in digits unless told otherwise."""


class Service:
    """An engine at work for many tasks."""

    def __init__(self, engine: Engine, detector: Detector, deliver: Deliver) -> None:
        """Start the decoder threads; arguments as for `Scheduler`."""
        self._engine = engine
        self._detector = detector
        self.scheduler = Scheduler(engine, detector, deliver)

    def open(self, task: RunTask) -> Job:
        """Open a session for a task.

        Raises:
            ModelNotFound: No engine serves the model.
            InvalidParameter: A parameter or the context does not fit.
            AudioError: The format cannot be decoded here.
            Overloaded: The engine follows as many sessions as it can.

        """
        if task.model not in SERVED_MODELS and task.model != self._engine.name:
            raise ModelNotFound(
                f"Model not exist: {shown(task.model)}. This server serves {self._engine.name}, "
                f"also as {', '.join(sorted(SERVED_MODELS))}."
            )
        parameters = read_parameters(task.parameters)
        self._admit()
        language = self._language(parameters)
        session = Session(
            decoder=open_decoder(parameters.format, parameters.sample_rate),
            detector_state=self._detector.open(),
            segmenter=Segmenter(
                _silence_rule(parameters), noise_threshold=parameters.speech_noise_threshold
            ),
            engine=self._engine,
            hints=Hints(language=language, context=_to_turns(task.input)),
            finisher=self._finisher(task.model, parameters, language),
        )
        return self.scheduler.open(session)

    def update_context(self, job: Job, raw: Json) -> None:
        """Give a session the context in the ``input`` of a message.

        Raises:
            InvalidParameter: It has another shape.

        """
        self.scheduler.update_context(job, _to_turns(raw))

    def _admit(self) -> None:
        capacity = self._engine.capacity
        if capacity is not None and self.scheduler.load >= capacity:
            raise Overloaded(
                "Requests rate limit exceeded, please try again later. "
                f"This server follows {capacity} sessions at once."
            )

    def close(self) -> None:
        """Stop the engine, which ends the steps under way, then the decoder threads."""
        self._engine.close()
        self.scheduler.close()

    def _finisher(self, model: str, parameters: Parameters, language: str | None) -> Finisher:
        """Return what writes the session's sentences; an engine's only language is the text's."""
        if language is None and len(self._engine.languages) == 1:
            (language,) = self._engine.languages
        special = parameters.special_word_filter
        numbers = parameters.inverse_text_normalization_enabled
        style = Style(
            punctuation=parameters.punctuation_prediction_enabled,
            numbers=model.startswith(_PARAFORMER) if numbers is None else numbers,
            fluent=parameters.disfluency_removal_enabled,
            special_words=None if special is None else read_special_words(special),
        )
        return Finisher(style, language=language, punctuated=self._engine.punctuates)

    def _language(self, parameters: Parameters) -> str | None:
        """Return the language to expect: the first hint counts (spec 3.1)."""
        if not parameters.language_hints:
            return None
        language = parameters.language_hints[0]
        known = self._engine.languages
        if known and language not in known:
            raise InvalidParameter(
                f"Invalid parameter 'payload.parameters.language_hints' {shown(language)}: "
                f"engine {self._engine.name} knows {', '.join(sorted(known))}."
            )
        return language


def _silence_rule(parameters: Parameters) -> SilenceRule:
    """Return the rule of the mode that was asked for; the semantic one excludes the others."""
    silence_s = parameters.max_sentence_silence / 1000
    if parameters.semantic_punctuation_enabled:
        return SilenceRule.semantic()
    if parameters.multi_threshold_mode_enabled:
        return SilenceRule.shrinking(silence_s)
    return SilenceRule.constant(silence_s)


def _to_turns(raw: Json) -> tuple[Turn, ...]:
    return tuple(Turn(user=turn.user, assistant=turn.assistant) for turn in read_context(raw))
