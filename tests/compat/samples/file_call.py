"""A file in one call, the way the guide shows it."""

from http import HTTPStatus

from dashscope.audio.asr import Recognition

recognition = Recognition(
    model="fun-asr-realtime", format="wav", sample_rate=16000, language_hints=["en"], callback=None
)
result = recognition.call("asr_example.wav")
if result.status_code == HTTPStatus.OK:
    print("sentences:", [sentence["text"] for sentence in result.get_sentence()])
else:
    print("error:", result.message)
print("same id:", recognition.get_last_request_id() == result.get_request_id())
print("first package:", recognition.get_first_package_delay() > 0)
print("last package:", recognition.get_last_package_delay() > 0)
