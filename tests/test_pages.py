"""The page of a sweep and its charts, looked at in a real browser without any network."""

from pathlib import Path

import pytest

from sweeps.review.writing import write
from tests.looking import CHROMIUM, NEEDS, QUIET
from tests.made_up import NAMES, review

pytestmark = [*NEEDS, pytest.mark.xdist_group("browser")]


@pytest.mark.parametrize("names", [("cosine", "step", "plateau"), NAMES], ids=["3", "24"])
def test_charts_are_drawn_offline_and_every_family_is_in_the_legend(
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
        page.wait_for_function("document.querySelectorAll('.main-svg .xtitle').length >= 6")
        legends = [
            legend.locator(".legendtext").all_text_contents()
            for legend in page.locator("g.legend").all()
        ]
        page.goto((tmp_path / "plots" / "ranking.html").as_uri())
        page.wait_for_selector(".main-svg .gtitle")
        browser.close()
    assert troubles == []
    assert len(legends) == 4
    assert all(set(names) <= set(legend) for legend in legends)
