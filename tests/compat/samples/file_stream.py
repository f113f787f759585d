"""A file as a stream with a callback, the way the guide shows it."""

# ruff: noqa: F403, F405, PTH123 - as such programs are

import os
import time

import dashscope
from dashscope.audio.asr import *

dashscope.api_key = "sk-from-the-program"
dashscope.base_websocket_api_url = os.environ["SERVER_URL"]


class Callback(RecognitionCallback):
    def on_complete(self) -> None:
        print("complete")

    def on_error(self, result: RecognitionResult) -> None:
        print("error:", result.request_id, result.message)

    def on_event(self, result: RecognitionResult) -> None:
        sentence = result.get_sentence()
        if "text" in sentence:
            print("text:", sentence["text"])
            if RecognitionResult.is_sentence_end(sentence):
                print("end:", result.get_request_id(), result.get_usage(sentence))


recognition = Recognition(
    model="fun-asr-realtime", format="wav", sample_rate=16000, callback=Callback()
)
recognition.start()
with open("asr_example.wav", "rb") as audio:
    while data := audio.read(3200):
        recognition.send_audio_frame(data)
        time.sleep(0.01)
recognition.stop()
