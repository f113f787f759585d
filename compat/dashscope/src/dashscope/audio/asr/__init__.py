"""Speech recognition, under the names that DashScope's users import."""

from dashscope.audio.asr.recognition import (
    Recognition,
    RecognitionCallback,
    RecognitionResult,
)

__all__ = ["Recognition", "RecognitionCallback", "RecognitionResult"]
