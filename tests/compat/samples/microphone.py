"""A microphone until Ctrl-C, the way the guide shows it."""

# ruff: noqa: F403, F405, I001, PLW0603 - as such programs are

import signal
import sys

import pyaudio
from dashscope.audio.asr import *

mic = None
stream = None


class Callback(RecognitionCallback):
    def on_open(self) -> None:
        global mic, stream
        print("open")
        mic = pyaudio.PyAudio()
        stream = mic.open(format=pyaudio.paInt16, channels=1, rate=16000, input=True)

    def on_close(self) -> None:
        global mic, stream
        print("close")
        stream.stop_stream()
        stream.close()
        mic.terminate()
        stream = None
        mic = None

    def on_complete(self) -> None:
        print("complete")

    def on_error(self, message: RecognitionResult) -> None:
        print("error:", message.message)
        if "stream" in globals() and stream.active:
            stream.stop()
            stream.close()
        sys.exit(1)

    def on_event(self, result: RecognitionResult) -> None:
        print("text:", result.get_sentence()["text"])


def handle_signal(_number: int, _frame: object) -> None:
    recognition.stop()
    print("stopped, microphones left open:", len(pyaudio.opened))
    sys.exit(0)


if __name__ == "__main__":
    recognition = Recognition(
        model="fun-asr-realtime",
        format="pcm",
        sample_rate=16000,
        semantic_punctuation_enabled=False,
        callback=Callback(),
    )
    recognition.start()
    signal.signal(signal.SIGINT, handle_signal)
    while True:
        if stream:
            recognition.send_audio_frame(stream.read(3200, exception_on_overflow=False))
        else:
            break
    recognition.stop()
