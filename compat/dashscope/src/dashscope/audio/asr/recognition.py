"""`Recognition`, with the server and the key that the `dashscope` module names."""

import dashscope
from hearline import Recognition as _Recognition
from hearline import RecognitionCallback, RecognitionResult
from hearline.client.endpoint import Access, Endpoint, locate

__all__ = ["Recognition", "RecognitionCallback", "RecognitionResult"]


class Recognition(_Recognition):
    """Real-time speech recognition; see `hearline.Recognition`."""

    def _locate(self, access: Access) -> Endpoint:
        fallback = Access(
            api_key=dashscope.api_key,
            api_key_file_path=dashscope.api_key_file_path,
            base_address=dashscope.base_websocket_api_url,
            workspace=dashscope.workspace_id,
        )
        return locate(access, fallback)
