"""The page is served with all its parts, and may load and reach nothing else."""

import urllib.error
import urllib.request

import pytest

from asrd.gateway.captions import KINDS


def get(served, path: str):
    with urllib.request.urlopen(served.url + path, timeout=10) as answer:
        return answer.read().decode(), answer.headers


@pytest.mark.parametrize(("query", "part"), [("", "page.js"), ("?overlay=1&size=48", "overlay.js")])
def test_the_page_and_the_overlay_are_served(served, query, part):
    page, headers = get(served, f"/{query}")
    assert f'src="captions/{part}"' in page
    policy = headers["content-security-policy"]
    assert policy.startswith(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' "
    )
    assert f"ws://127.0.0.1:{served.port} " in policy
    assert "unsafe" not in policy + page
    assert headers["x-content-type-options"] == "nosniff"


def test_parts_have_their_types(served):
    for name in ("page.css", "page.js", "worklet.js", "icon.svg"):
        _, headers = get(served, f"/captions/{name}")
        assert headers.get_content_type() == KINDS[f".{name.partition('.')[2]}"]


@pytest.mark.parametrize(
    "path", ["/captions/", "/captions/none.js", "/captions/..%2f__init__.py", "/captions/page/page.js"]
)
def test_nothing_else_is_served(served, path):
    with pytest.raises(urllib.error.HTTPError) as found:
        get(served, path)
    with found.value as answer:
        assert answer.code == 404
