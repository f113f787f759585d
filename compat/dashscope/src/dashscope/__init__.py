"""What code written for DashScope's speech recognition expects under this name (spec 8).

The names below may be set at any time and count from the next `start` or `call`; the environment is
read once, when this is imported, as in the official package.
"""

import os

from hearline import __version__

_MAAS_REGIONS = frozenset(
    {"ap-southeast-1", "us-east-1", "cn-hongkong", "eu-central-1", "ap-northeast-1"}
)
_region = os.environ.get("DASHSCOPE_API_REGION", "cn-beijing")
_version = os.environ.get("DASHSCOPE_API_VERSION", "v1")
_host = "dashscope.aliyuncs.com"
if _region in _MAAS_REGIONS:
    _host = f"{{workspace_id}}.{_region}.maas.aliyuncs.com"

api_key: str | None = os.environ.get("DASHSCOPE_API_KEY")
api_key_file_path: str | None = os.environ.get("DASHSCOPE_API_KEY_FILE_PATH")
base_http_api_url: str = os.environ.get(
    "DASHSCOPE_HTTP_BASE_URL", f"https://{_host}/api/{_version}"
)
base_websocket_api_url: str = os.environ.get(
    "DASHSCOPE_WEBSOCKET_BASE_URL", f"wss://{_host}/api-ws/{_version}/inference"
)
workspace_id: str | None = os.environ.get("DASHSCOPE_WORKSPACE_ID")

__all__ = [
    "__version__",
    "api_key",
    "api_key_file_path",
    "base_http_api_url",
    "base_websocket_api_url",
    "workspace_id",
]
