"""One task by an official dashscope wheel, in a process of its own; prints what came as JSON.

Usage: client.py {call,stream,v2,shared} FILE, with the wheel's directory on PYTHONPATH. Where to
connect and with which key, the environment says, as for any program of a DashScope user.
"""

import json
import os
import sys
import threading
import time
import warnings
from pathlib import Path
from typing import Any

FRAME_BYTES = 3200
FRAME_S = 0.1


def call(file: Path) -> dict[str, Any]:
    """Class Recognition, the whole file in one call."""
    from dashscope.audio.asr import Recognition

    recognition = Recognition(
        model="fun-asr-realtime",
        callback=None,
        format="wav",
        sample_rate=16000,
    )
    result = recognition.call(str(file))
    return {
        "status": result.status_code,
        "code": result.code,
        "message": result.message,
        "sentences": result.get_sentence(),
        "usage": result.usage,
        "same_id": result.get_request_id() == recognition.get_last_request_id(),
    }


def stream(file: Path) -> dict[str, Any]:
    """Class Recognition with callbacks, paced as a microphone."""
    from dashscope.audio.asr import Recognition, RecognitionCallback

    calls: list[str] = []
    sentences: list[dict[str, Any]] = []
    usages: list[Any] = []

    class Callback(RecognitionCallback):
        def on_open(self) -> None:
            calls.append("open")

        def on_event(self, result: Any) -> None:
            sentence = result.get_sentence()
            sentences.append(sentence)
            calls.append("final" if result.is_sentence_end(sentence) else "partial")
            usages.append(result.get_usage(sentence))

        def on_complete(self) -> None:
            calls.append("complete")

        def on_error(self, result: Any) -> None:
            calls.append(f"error {result.code} {result.message}")

        def on_close(self) -> None:
            calls.append("close")

    recognition = Recognition(
        model="fun-asr-realtime",
        callback=Callback(),
        format="wav",
        sample_rate=16000,
    )
    recognition.start()
    data = file.read_bytes()
    for start in range(0, len(data), FRAME_BYTES):
        recognition.send_audio_frame(data[start : start + FRAME_BYTES])
        time.sleep(FRAME_S)
    recognition.stop()
    return {
        "calls": calls,
        "sentences": [s for s in sentences if s["sentence_end"]],
        "usage": usages[-1] if usages else None,
        "first_package_delay": recognition.get_first_package_delay(),
    }


def v2(file: Path) -> dict[str, Any]:
    """The client of the second generation."""
    import dashscope

    client = dashscope.Client()
    results: list[Any] = []
    with client.audio.asr.recognize(
        model="fun-asr-realtime", format="wav", sample_rate=16000
    ) as session:
        reader = threading.Thread(target=lambda: results.extend(session.events()))
        reader.start()
        data = file.read_bytes()
        for start in range(0, len(data), FRAME_BYTES):
            session.send_audio_frame(data[start : start + FRAME_BYTES])
            time.sleep(FRAME_S)
        session.stop()
        reader.join(timeout=60)
    outputs = [event.get("payload", event).get("output") or {} for event in results]
    sentences = [output["sentence"] for output in outputs if output.get("sentence")]
    return {
        "sentences": [s for s in sentences if s["sentence_end"]],
        "partials": sum(not s["sentence_end"] for s in sentences),
        "usage": session.usage if isinstance(session.usage, dict) else str(session.usage),
    }


def shared(file: Path) -> dict[str, Any]:
    """The client of the second generation, several tasks at once on one connection."""
    import dashscope

    client = dashscope.Client()
    connection = dashscope.WsConnection(api_key=os.environ["DASHSCOPE_API_KEY"])
    data = file.read_bytes()
    middle = len(data) // 2

    def begin() -> Any:
        return client.audio.asr.recognize(
            model="fun-asr-realtime", format="wav", sample_rate=16000, connection=connection
        ).start()

    def finish(session: Any) -> list[str]:
        session.stop()
        sentences = [result.get_sentence() for result in session.results()]
        return [sentence["text"] for sentence in sentences if sentence["sentence_end"]]

    refusal = ""
    texts: list[list[str]] = []
    first, second = begin(), begin()
    first.send_audio_frame(data[:middle])
    third = begin()
    try:
        second.send_audio_frame(data)
    except RuntimeError as error:
        refusal = str(error)
    second.update_context({"context": []})
    first.send_audio_frame(data[middle:])
    texts.append(finish(first))
    for session in (second, third):
        session.send_audio_frame(data[:middle])
        session.send_audio_frame(data[middle:])
        texts.append(finish(session))
    fourth = begin()
    fourth.send_audio_frame(data)
    texts.append(finish(fourth))
    connection.close()
    return {"texts": texts, "refusal": refusal}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    mode, file = sys.argv[1:]
    modes = {"call": call, "stream": stream, "v2": v2, "shared": shared}
    print(json.dumps(modes[mode](Path(file))))
