from __future__ import annotations

from pathlib import Path

import pytest
from compare_scenes import write_results
from report_scenes import write_set

from phenopipe.compare import set_paths, write_comparison
from phenopipe.config import ReportSettings, SeasonSettings
from phenopipe.report import write_season_report, write_set_report
from phenopipe.season import write_season

CHROMIUM = Path("/usr/bin/chromium")
EVIL = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs {CHROMIUM} (apt install chromium)"),
]


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pages")
    tables = []
    for night in (1, 2):
        files = write_set(folder / f"{night}", f"night{night}", day=night, genotype=EVIL)
        tables.append(files["plants"])
    settings = ReportSettings()
    write_set_report(**files, settings=settings, made_with={}, out=folder / "set.html")
    leaves = [path.with_name("leaves.csv") for path in tables]
    write_season(plants=tables, leaves=leaves, settings=SeasonSettings(), out=folder)
    season = {name: folder / f"{name}.csv" for name in ("plants", "growth", "tracks")}
    write_season_report(**season, settings=settings, made_with={}, out=folder / "season.html")
    write_results(folder / "results", ["n1", "n2"], genotype=EVIL)
    sets = [set_paths(folder / "results", "a", "b", key) for key in ("n1", "n2")]
    write_comparison(sets, "a", "b", folder / "compared", made_with=({"x": EVIL}, {}))
    (folder / "compared/report.html").rename(folder / "compare.html")
    return folder


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.mark.parametrize(("name", "charts"), [("set", 3), ("season", 4), ("compare", 4)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_works_without_a_network(browser, pages, name, charts, scheme):
    context = browser.new_context(offline=True, color_scheme=scheme)
    page = context.new_page()
    problems, requests = [], []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto((pages / f"{name}.html").as_uri())
    page.wait_for_selector(".plot .main-svg")
    drawn = page.locator(".plot:has(.main-svg)").count()
    marks = page.locator(".plot .points path, .plot .js-line").count()
    ink = page.eval_on_selector(".plot .xtick text", "e => getComputedStyle(e).fill")
    hacked = page.evaluate("window.hacked")
    pictures = page.locator(".gallery img").count()
    context.close()
    assert drawn == charts and marks >= charts
    assert problems == [] and hacked is None
    assert all(url.startswith(("file:", "data:", "blob:")) for url in requests)
    assert ink == {"light": "rgb(29, 36, 32)", "dark": "rgb(232, 236, 233)"}[scheme]
    assert pictures == {"set": 7, "season": 0, "compare": 8}[name]


def test_page_does_not_scroll_sideways_on_a_phone(browser, pages):
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.goto((pages / "set.html").as_uri())
    page.wait_for_selector(".plot .main-svg")
    overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    page.close()
    assert overflow <= 0
