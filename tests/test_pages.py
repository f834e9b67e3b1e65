"""The page of a sweep and its charts, looked at in a real browser without any network."""

from pathlib import Path

import pytest

from sweeps.reports.output.write_files import write
from tests.looking import CHROMIUM, NEEDS, QUIET
from tests.made_up import NAMES, review

pytestmark = [*NEEDS, pytest.mark.xdist_group("browser pages")]


@pytest.mark.parametrize("names", [("cosine", "step", "plateau"), NAMES], ids=["3", "24"])
def test_the_page_shows_every_chart_without_a_network(
    names: tuple[str, ...], tmp_path: Path
) -> None:
    from playwright.sync_api import sync_playwright

    write(review(names), tmp_path)
    troubles: list[str] = []
    with sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda r: r.url.startswith("file:") or troubles.append(r.url))
        page.goto((tmp_path / "verdict.html").as_uri())
        widths = page.eval_on_selector_all("img", "found => found.map(i => i.naturalWidth)")
        browser.close()
    assert troubles == []
    assert widths == [1056] * 6
