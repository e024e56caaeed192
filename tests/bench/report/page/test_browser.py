"""The page in a real Chromium: what a reader does with it, and that no script ever fails."""

from __future__ import annotations

import base64
import csv
import io
import json
import math
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from setbench.bench.records.record import Record
from setbench.bench.report.tables import tables

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
if not (CHROMIUM and DRIVER):
    pytest.skip(
        "needs Chromium and its chromedriver: apt-get install chromium chromium-driver", allow_module_level=True
    )

STATE, SQUARE = "clevr_state-rendered-quick-cpu", "rotated_square-sampled-quick-cpu"
SECONDS = 20  # until what is awaited is there


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    options = Options()
    options.binary_location = str(CHROMIUM)
    profile = tmp_path_factory.mktemp("profile")
    for word in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", f"user-data-dir={profile}"):
        options.add_argument(f"--{word}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=Service(str(DRIVER)))
    yield driver
    driver.quit()


class Reader:
    """Somebody who reads a page."""

    def __init__(self, driver: Chrome, path: Path) -> None:
        self.driver, self.path = driver, path

    def open(self, address: str = "") -> None:
        self.driver.get("about:blank")  # an anchor alone would not load it again
        self.driver.get(f"{self.path.as_uri()}{address}")
        self.wait("return 'ready' in document.documentElement.dataset")

    def do(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def wait(self, script: str, *arguments: Any) -> Any:
        """Until it is true."""
        until = time.monotonic() + SECONDS
        while time.monotonic() < until:
            if found := self.do(script, *arguments):
                return found
            time.sleep(0.05)
        raise AssertionError(f"never true: {script}")

    def see(self, width: int, height: int = 900, **features: str) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        media = [{"name": name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})

    def one(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def head(self, table: str, key: str) -> WebElement:
        return self.one(f"[id='{table}'] th[data-key='{key}'] button")

    def column(self, table: str, key: str) -> list[str]:
        """The texts of a column's rows that are shown, from above."""
        return self.do(
            """const section = document.getElementById(arguments[0]);
            const heads = [...section.querySelectorAll(".ranking thead th")];
            const place = heads.findIndex(th => th.dataset.key === arguments[1]);
            return [...section.querySelectorAll(".ranking tbody tr")].filter(tr => !tr.hidden && !section.hidden)
              .map(tr => tr.cells[place].textContent.trim());""",
            table,
            key,
        )

    def press(self, element: WebElement, *keys: str) -> None:
        self.do("arguments[0].focus()", element)
        ActionChains(self.driver).send_keys(*keys).perform()

    def click(self, element: WebElement, shift: bool = False) -> None:
        self.do("arguments[0].scrollIntoView({block: 'center'})", element)
        self.settle(element)
        chain = ActionChains(self.driver)
        if shift:
            chain.key_down(Keys.SHIFT).click(element).key_up(Keys.SHIFT).perform()
        else:
            chain.click(element).perform()

    def settle(self, element: WebElement) -> None:
        """What has come into sight is drawn, which may move the rest."""
        found: list[Any] = [None]
        while len(found) < 4 or found[-1] != found[-4]:
            found.append(self.do("const at = arguments[0].getBoundingClientRect(); return [at.x, at.y]", element))
            time.sleep(0.1)

    def faults(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.driver.current_url).query)


@pytest.fixture
def reading(chromium: Chrome, build: Callable, tmp_path: Path) -> Iterator[Callable[[Sequence[Record]], Reader]]:
    """Open the page of some records; at the end no script has failed."""
    readers = []

    def opened(records: Sequence[Record]) -> Reader:
        path = tmp_path / "leaderboard.html"
        path.write_text(build(records), encoding="utf-8")
        reader = Reader(chromium, path)
        reader.see(1440, prefers_color_scheme="light")
        reader.faults()  # those of others
        reader.open()
        readers.append(reader)
        return reader

    yield opened
    assert [fault for reader in readers for fault in reader.faults()] == []


@pytest.fixture
def reader(reading: Callable, whole: list[Record]) -> Reader:
    return reading(whole)


def first_number(text: str) -> float:
    return float(text.split()[0].replace(",", ""))


HARMFUL = "</script><script>document.title = 'harmed'</script><img src=x onerror=\"document.title='harmed'\">"
STRANGE = {
    "none": lambda make: [],
    "one": lambda make: [make.record("clevr_state", "a")],
    "all failed": lambda make: [make.failure("clevr_state", name, name, "why") for name in ("failed", "killed")],
    "names": lambda make: [
        make.record(HARMFUL, f"{HARMFUL}{n}", score=n, paradigm=HARMFUL, preset=HARMFUL, seed=s, notes=[HARMFUL])
        for n in range(3)
        for s in range(2)
    ],
    "numbers": lambda make: [
        make.record("rotated_square", str(n), score=score, time={"train": 0.0}, invariance={"max64": 0.0})
        for n, score in enumerate([math.nan, math.inf, 1e308, -1e308, 5e-324, 0.0])
    ],
}


@pytest.mark.parametrize("which", STRANGE)
def test_any_records_can_be_looked_at(reading, make, which):
    reader = reading(STRANGE[which](make))
    sections = reader.driver.find_elements(By.CSS_SELECTOR, "section.task")
    assert len(sections) == (0 if which == "none" else 1)
    for section in sections:
        reader.do("arguments[0].scrollIntoView()", section)
        if reader.do("return !arguments[0].querySelector('.right').hidden", section):
            reader.wait("return arguments[0].querySelector('.cost').data", section)
        reader.click(section.find_element(By.CSS_SELECTOR, "button.row"))
        reader.wait("return document.querySelector('dialog').open")
    assert reader.driver.title.startswith("Leaderboard")
    loaded = reader.do("return performance.getEntriesByType('resource').map(one => one.name)")
    assert [name for name in loaded if not name.startswith(("data:", "blob:"))] == []


def test_the_first_click_has_the_best_first(reader):
    for table, key, best in ((STATE, "score", max), (SQUARE, "score", min), (STATE, "train", min)):
        head = reader.head(table, key)
        reader.click(head)
        values = [first_number(text) for text in reader.column(table, key) if text[0].isdigit()]
        assert values[0] == best(values)
        assert values == sorted(values, reverse=best is max)
        said = reader.do("return arguments[0].parentElement.getAttribute('aria-sort')", head)
        assert said == ("descending" if best is max else "ascending")
        assert reader.column(table, key)[-1][0] not in "0123456789" or len(values) == len(reader.column(table, key))
        reader.click(head)
        assert [first_number(text) for text in reader.column(table, key) if text[0].isdigit()] == values[::-1]


def test_several_columns_sort(reader):
    reader.click(reader.one("#columns").find_element(By.XPATH, "../summary"))
    reader.click(reader.one("#columns input[value=paradigm]"))
    reader.press(reader.one("#columns input[value=paradigm]"), Keys.ESCAPE)
    reader.click(reader.head(STATE, "paradigm"))
    reader.click(reader.head(STATE, "score"), shift=True)
    rows = list(zip(reader.column(STATE, "paradigm"), reader.column(STATE, "score"), strict=True))
    ranked = [(paradigm, -first_number(score)) for paradigm, score in rows if paradigm and score[0].isdigit()]
    assert len(ranked) == 16
    assert ranked == sorted(ranked)
    assert reader.head(STATE, "score").get_attribute("data-order") == " ▼2"
    assert reader.query["sort"] == [f"{STATE}:paradigm,score"]
    reader.click(reader.one(f"[id='{STATE}'] .unsort"))
    ranks = [first_number(text) for text in reader.column(STATE, "rank") if text]
    assert ranks == sorted(ranks)


def test_the_keyboard_sorts(reader):
    reader.press(reader.head(STATE, "train"), Keys.ENTER)
    values = [first_number(text) for text in reader.column(STATE, "train") if text[0].isdigit()]
    assert values == sorted(values)
    chain = ActionChains(reader.driver)
    reader.do("arguments[0].focus()", reader.head(STATE, "memory"))
    chain.key_down(Keys.SHIFT).send_keys(Keys.ENTER).key_up(Keys.SHIFT).perform()
    assert reader.query["sort"] == [f"{STATE}:train,memory"]
    focused = reader.do("return document.activeElement.closest('th').dataset.key")
    assert focused == "memory"


def test_paradigms_tasks_and_search_filter(reader, whole):
    reader.do("document.querySelector('#paradigms').parentElement.open = true")
    for name in ("permuting", "control"):
        reader.click(reader.one(f"#paradigms input[value={name}]"))
    rows = {r.row for r in whole if r.task == "clevr_state" and r.model.paradigm not in ("permuting", "control")}
    assert set(reader.column(STATE, "model")) == rows | {"best constant"}
    assert reader.query["without-paradigm"] == ["permuting", "control"]
    reader.do("document.querySelector('#tasks').parentElement.open = true")
    reader.click(reader.one(f"#tasks input[value='{SQUARE}']"))
    assert not reader.one(f"[id='{SQUARE}']").is_displayed()
    assert reader.do("return document.querySelector('.answer tr[data-table^=rotated]').hidden")
    reader.one("#search").send_keys("fspool relation")
    assert reader.column(STATE, "model") == ["relation_fspool + dspn"]
    assert reader.one("#shown").text.startswith("3 of ")
    reader.one("#search").send_keys(" nothing")
    assert not [
        section for section in reader.driver.find_elements(By.CSS_SELECTOR, "section.task") if section.is_displayed()
    ]
    reader.click(reader.one("#reset"))
    reader.wait("return 'ready' in document.documentElement.dataset && !location.search")
    assert len(reader.column(STATE, "model")) == len({r.row for r in whole if r.task == "clevr_state"})


def test_a_link_opens_the_view_again(reader):
    reader.one("#search").send_keys("dspn")
    reader.do("document.querySelector('#columns').parentElement.open = true")
    for name in ("status", "latency"):
        reader.click(reader.one(f"#columns input[value={name}]"))
    reader.press(reader.one("#search"), Keys.ESCAPE)
    reader.click(reader.head(STATE, "memory"))
    reader.click(reader.head(STATE, "score"), shift=True)
    reader.click(reader.head(STATE, "score"), shift=True)
    axis = reader.one(f"[id='{STATE}'] .axis option[value=parameters]")
    axis.click()
    seen = [reader.column(STATE, key) for key in ("model", "score")]
    address = reader.driver.current_url
    assert address.endswith(f"#{STATE}")
    reader.open(address.removeprefix(reader.path.as_uri()))
    assert [reader.column(STATE, key) for key in ("model", "score")] == seen
    assert reader.query["sort"] == [f"{STATE}:memory,!score"]
    assert reader.one("#search").get_attribute("value") == "dspn"
    assert reader.head(STATE, "status").is_displayed()
    assert not reader.head(STATE, "latency").is_displayed()
    assert reader.one(f"[id='{STATE}'] .axis").get_attribute("value") == "parameters"
    assert reader.wait(PLOTTED, STATE)["layout"]["xaxis"]["title"]["text"].startswith("parameters")
    top = reader.do("return document.getElementById(arguments[0]).getBoundingClientRect().top", STATE)
    assert 0 <= top < 120


def test_every_task_has_an_address(reader):
    links = reader.do("return [...document.querySelectorAll('.answer tbody a')].map(a => a.getAttribute('href'))")
    assert f"#{STATE}" in links
    assert len(links) == len(set(links)) == 4
    for link in links:
        reader.open(link)
        top = reader.do("return document.getElementById(arguments[0]).getBoundingClientRect().top", link[1:])
        assert 0 <= top < 450  # the last one ends the page


def test_the_csv_is_what_is_shown(reader, tmp_path):
    folder = tmp_path / "downloads"
    reader.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
    reader.one("#search").send_keys("dspn")
    reader.click(reader.head(STATE, "train"))
    reader.click(reader.one(f"[id='{STATE}'] .csv"))
    path = folder / f"{STATE}.csv"
    until = time.monotonic() + SECONDS
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.05)
    lines = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    assert [line["model"] for line in lines] == reader.column(STATE, "model")
    for key, name in (("score", "ap_inf (%) ↑"), ("train", "train (s)"), ("parameters", "parameters")):
        for line, shown in zip(lines, reader.column(STATE, key), strict=True):
            if shown[0].isdigit():
                assert float(line[name]) == pytest.approx(first_number(shown), rel=0.006)
    half = float(lines[0]["ap_inf (%) ↑, interval down"])
    assert half == pytest.approx(first_number(reader.column(STATE, "score")[0].split("± ")[1]), rel=0.06)
    shown = reader.do(
        "return [...document.querySelectorAll(`[id='${arguments[0]}'] thead th`)].filter(th => !th.hidden)"
        ".map(th => th.textContent.trim())",
        STATE,
    )
    assert [name for name in lines[0] if name in shown] == shown


PLOTTED = """
const element = document.getElementById(arguments[0])?.querySelector(arguments[1] ?? ".cost");
element.scrollIntoView({block: "center"});
return element.data && element.layout ? {data: element.data, layout: element.layout} : null;"""


def test_a_point_says_what_it_is(reader, whole):
    found = reader.wait(PLOTTED, STATE)
    traces = [trace for trace in found["data"] if trace.get("customdata")]
    rows = {r.row for r in whole if r.task == "clevr_state" and r.ok and not r.constant}
    assert sum(len(trace["x"]) for trace in traces) == len(rows)
    assert len({(trace["marker"]["color"], trace["marker"]["symbol"]) for trace in traces}) == len(traces)
    point = reader.wait("return document.querySelector(`[id='${arguments[0]}'] .cost .points path`)", STATE)
    ActionChains(reader.driver).move_to_element(point).perform()
    said = reader.wait("return document.querySelector(`[id='${arguments[0]}'] .cost .hovertext`)?.textContent", STATE)
    assert any(row in said for row in rows)
    assert all(word in said for word in ("ap_inf", "train (s)", "memory (MB)", "parameters"))


@pytest.mark.parametrize("table", [STATE, SQUARE])
def test_the_front_is_of_rows_better_than_the_constant(reader, whole, table):
    found = reader.wait(PLOTTED, table)
    (one,) = (other for other in tables(whole) if other.key.task == table.split("-")[0])
    sign = 1 if one.higher_is_better(one.headline) else -1
    worth = [row for row in one.models if row.complete and not one.at_floor(one.score(row), one.headline)]
    points = sorted((row.train.centre, sign * one.score(row).centre) for row in worth)
    best = [(x, sign * y) for x, y in points if not any(a <= x and b >= y and (a, b) != (x, y) for a, b in points)]
    (line,) = (trace for trace in found["data"] if trace["name"] == "front")
    corners = list(zip(line["x"], line["y"], strict=True))[::2]
    assert corners == [pytest.approx(point) for point in best]
    (constant,) = (trace for trace in found["data"] if trace["name"] == "best constant")
    assert constant["y"] == [one.score(one.constant).centre] * 2
    assert found["layout"]["xaxis"]["type"] == "log"


def test_learning_curves_are_scores_against_seconds(reader, whole):
    found = reader.wait(PLOTTED, STATE, ".curves .plot")
    lines = {trace["name"]: trace for trace in found["data"]}
    own = [r for r in whole if (r.task, r.row) == ("clevr_state", "fspool + dspn")]
    seconds = median(r.measured.time.train for r in own)
    assert lines["fspool + dspn"]["x"] == pytest.approx([seconds / 200, seconds / 20, seconds])
    assert lines["fspool + dspn"]["y"][-1] == pytest.approx(median(r.measured.score for r in own))
    rows = {r.row for r in whole if r.task == "clevr_state" and r.ok and not r.constant}
    assert {trace["text"][0].split("</b>")[0].removeprefix("<b>") for trace in found["data"]} == rows


def test_mean_ranks_are_drawn(reader):
    reader.wait("return document.querySelector('.ranks .plot').data")
    traces = reader.do("return document.querySelector('.ranks .plot').data")
    texts = [text for trace in traces for text in trace["text"]]
    listed = reader.do("return [...document.querySelectorAll('.ranks li')].map(li => li.textContent)")
    assert len(texts) == len(listed) > 5
    assert all(trace["error_x"]["array"] for trace in traces)


def test_behind_a_row_are_its_seeds_and_records(reader, whole):
    reader.click(reader.one(f"[id='{STATE}'] tr[data-row='0'] .row"))
    reader.wait("return document.querySelector('dialog').open && document.querySelector('dialog pre')")
    label = reader.column(STATE, "model")[0]
    own = [r for r in whole if (r.task, r.row) == ("clevr_state", label)]
    text = reader.one("dialog").text
    assert label in text
    assert own[0].commit in text
    assert own[0].machine.cpu in text
    assert own[0].command in text
    assert all(f"{record.measured.score:.3g}" in text for record in own)
    assert reader.query["row"] == [f"{STATE}:{label}"]
    reader.do("document.querySelectorAll('dialog .record').forEach(one => one.open = true)")
    reader.wait("return document.querySelector('dialog .record pre').textContent")
    wholes = reader.do("return [...document.querySelectorAll('dialog .record pre')].map(pre => pre.textContent)")
    assert [json.loads(one) for one in wholes] == [json.loads(record.json_text()) for record in own]
    address = reader.driver.current_url
    ActionChains(reader.driver).send_keys(Keys.ESCAPE).perform()
    reader.wait("return !document.querySelector('dialog').open")
    assert "row" not in reader.query
    reader.open(address.removeprefix(reader.path.as_uri()))
    reader.wait("return document.querySelector('dialog').open")


def test_why_a_row_has_no_result(reader, make):
    reader.one("#search").send_keys("evil")
    reader.click(reader.one(f"[id='{STATE}'] tr:not([hidden]) .row"))
    reader.wait("return document.querySelector('dialog').open")
    assert "ValueError: a|b <i>" in reader.one("dialog").text


def test_predictions_are_drawn_from_numbers(reader):
    reader.do("document.querySelector(`[id='${arguments[0]}'] .pictures`).scrollIntoView()", SQUARE)
    sets = reader.wait(
        "const found = document.querySelectorAll(`[id='${arguments[0]}'] svg.set`); return found.length && [...found]",
        SQUARE,
    )
    assert len(sets) == 6 * 3
    dots = """const at = (one, side) => Number(one.getAttribute(side));
        return [...arguments[0].querySelectorAll("circle[cx]")].map(one => [at(one, "cx"), -at(one, "cy")])"""
    corners = [[1, 0], [0, 1], [-1, 0], [0, -1]]
    assert [reader.do(dots, one) for one in sets[:3]] == [corners] * 3
    slide = reader.one(f"[id='{SQUARE}'] .slide input")
    reader.press(slide, Keys.HOME)
    first = reader.driver.find_elements(By.CSS_SELECTOR, f"[id='{SQUARE}'] svg.set")[:3]
    moved = [reader.do(dots, one) for one in first]
    assert [[x + 0.5, y + 0.5] for x, y in corners] in moved
    assert moved.count(corners) == 2


def test_a_telephone_needs_no_scrolling_sideways(reader):
    reader.see(390, 844, prefers_color_scheme="light")
    reader.open()
    wide = "return [document.documentElement.scrollWidth, document.body.scrollWidth]"
    assert reader.do(wide) == [390, 390]
    for section in reader.driver.find_elements(By.CSS_SELECTOR, "section"):
        reader.do("arguments[0].scrollIntoView()", section)
        time.sleep(0.1)
    reader.wait(PLOTTED, STATE)
    reader.do("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert reader.do(wide) == [390, 390]
    reader.do("document.querySelectorAll('.menu').forEach(one => one.open = false)")
    reader.click(reader.one(f"[id='{STATE}'] tr[data-row='0'] .row"))
    reader.wait("return document.querySelector('dialog').open")
    assert reader.do(wide) == [390, 390]
    assert reader.do("return document.querySelector('dialog').getBoundingClientRect().width") == 390
    model = "document.querySelector(`[id='${arguments[0]}'] tr[data-row='0'] th.model`).getBoundingClientRect().left"
    reader.do("document.querySelector('dialog').close()")
    before = reader.do(f"return {model}", STATE)
    reader.do("document.querySelector(`[id='${arguments[0]}'] .scroll`).scrollLeft = 300", STATE)
    assert reader.do(f"return {model}", STATE) <= before
    assert reader.do(f"return {model} >= 0", STATE)


def test_dark_and_light(reader):
    paper = "return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    drawn = "return document.querySelector('.ranks .plot').layout?.paper_bgcolor"
    assert min(reader.do(paper)) > 200
    reader.see(1440, prefers_color_scheme="dark")
    reader.wait("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every(part => part < 60)")
    reader.wait(f"{drawn} === '#12161d'")
    assert reader.one("#theme").get_attribute("aria-pressed") == "true"
    reader.click(reader.one("#theme"))
    assert min(reader.do(paper)) > 200
    reader.wait(f"{drawn} === '#fff'")
    assert reader.one("#theme").get_attribute("aria-pressed") == "false"
    reader.do("localStorage.clear()")


def test_the_first_key_skips_to_the_answer(reader):
    ActionChains(reader.driver).send_keys(Keys.TAB).perform()
    assert reader.do("return document.activeElement.className") == "skip"
    assert reader.one(".skip").is_displayed()
    ActionChains(reader.driver).send_keys(Keys.ENTER).perform()
    reader.wait("return location.hash === '#answer'")
    ActionChains(reader.driver).send_keys(Keys.TAB).perform()
    assert reader.do("return document.activeElement.closest('section')?.id") == "answer"


def test_every_control_has_a_name_and_is_reached_by_keys(reader):
    nameless = reader.do(
        """const said = one => one.textContent.trim() || one.ariaLabel || one.closest("label")?.textContent.trim();
        return [...document.querySelectorAll("button, select, input, a, summary")]
        .filter(one => one.offsetParent && !said(one)).map(one => one.outerHTML)"""
    )
    assert nameless == []
    assert reader.do("return document.querySelectorAll('[tabindex]:not([tabindex=\"0\"]):not(section)').length") == 0


def test_without_javascript_the_tables_can_be_read(reader, whole):
    switch = "Emulation.setScriptExecutionDisabled"
    reader.driver.get("about:blank")  # first: a page that is still unpacking plotly would miss it
    reader.driver.execute_cdp_cmd(switch, {"value": True})
    try:
        reader.driver.get(reader.path.as_uri())
        text = reader.one("body").text
        assert not reader.one("#search").is_displayed()
        assert "Without JavaScript the tables stand in the order of their ranks" in text
        assert all(record.row.splitlines()[0] in text for record in whole if record.task == "clevr_state")
        picture = base64.b64decode(reader.driver.get_screenshot_as_base64())
        assert picture.startswith(b"\x89PNG")
    finally:
        reader.driver.execute_cdp_cmd(switch, {"value": False})
        reader.open()
