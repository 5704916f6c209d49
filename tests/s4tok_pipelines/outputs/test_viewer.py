import base64
import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from s4tok.clouds import PointCloud
from s4tok.geometry.box_frames import box_corners
from s4tok.oriented_boxes import OrientedBoxes
from s4tok_pipelines.outputs.viewer import VERTEX, Shown, page

HOSTILE = "</script><img src=x onerror=document.title='hacked'>&amp;"
RED_BLUE = np.array([[255, 0, 0], [0, 0, 255]], np.uint8)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Counts red, blue and green pixels as labels are switched off and colours changed. A click asks for a frame; the frame
# is painted here and at once, so that a slow machine is no other machine.
DRIVER = """<script>
const steps = [];
function step(name, button) {
  asked = false;
  button?.click();
  const isAsked = asked;
  paint();
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const pen = copy.getContext("2d");
  pen.drawImage(canvas, 0, 0);
  const seen = { name, asked: isAsked, red: 0, blue: 0, green: 0 };
  const pixels = pen.getImageData(0, 0, copy.width, copy.height).data;
  for (let i = 0; i < pixels.length; i += 4) {
    const [r, g, b] = pixels.slice(i, i + 3);
    if (r > 45 && g < 10 && b < 10) seen.red++;
    if (b > 45 && r < 10 && g < 10) seen.blue++;
    if (g > 45 && r < 10 && b < 10) seen.green++;
  }
  steps.push(seen);
}
const rows = [...document.querySelectorAll("#legend label")];
step("all", null);
step("one off", rows.find((row) => row.querySelector(".name").textContent === "below"));
step("none", element("none"));
step("all again", element("all"));
step("colour", document.querySelector("[data-mode=color]"));
step("superpoints", document.querySelector("[data-mode=superpoints]"));
step("truth", document.querySelector("[data-mode=truth]"));
const key = (name) => dispatchEvent(new KeyboardEvent("keydown", { key: name }));
const set = (id, value, event) => ({
  click: () => { element(id).value = value; element(id).dispatchEvent(new Event(event)); }
});
document.querySelector("[data-mode=scores]").click();
step("scores", set("scored", "1", "change"));
const heat = !element("heat").hidden;
key("1");
step("greyed", set("least", "128", "input"));
step("not greyed", set("least", "0", "input"));
const middle = [320 + (innerWidth - 320) / 2, innerHeight / 2];
hover(...middle);
const tip = [element("tip").hidden, element("tip").textContent];
show(pick(...middle));
const terms = [...document.querySelectorAll("#picked dt")];
const picked = Object.fromEntries(terms.map((term) => [term.textContent, term.nextSibling.textContent]));
const nothing = pick(innerWidth - 2, 2);
key("t");
const mode = view.mode;
const yaw = view.yaw;
key("ArrowLeft");
const turned = view.yaw !== yaw;
const names = rows.map((row) => row.querySelector(".name").textContent);
const images = document.images.length;
document.body.innerHTML = "";
const report = Object.assign(document.createElement("pre"), { id: "report" });
const told = { heat, tip, picked, nothing, mode, turned };
report.textContent = JSON.stringify({ steps, names, images, title: document.title, ...told });
document.body.append(report);
</script>
"""


def ball(n_points: int = 3000, **more: Any) -> PointCloud:
    xyz = np.random.default_rng(0).normal(size=(n_points, 3))
    return PointCloud.of(xyz / np.linalg.norm(xyz, axis=1, keepdims=True), name="ball", **more)


def facts_of(text: str) -> dict[str, Any]:
    found = re.search(r'id="facts">(.*?)</script>', text, re.DOTALL)
    assert found
    facts: list[dict[str, Any]] = json.loads(found[1])
    return facts[0]


def vertices_of(text: str) -> Any:
    found = re.search(r'id="points">(.*?)</script>', text, re.DOTALL)
    assert found
    return np.frombuffer(base64.b64decode(found[1].split()[0]), VERTEX)


def test_every_point_of_the_page_stands_where_it_stood_whatever_axis_is_up() -> None:
    cloud = ball()
    labels = (cloud.xyz[:, 0] > 0).astype(np.int64)
    for up in ("x", "y", "z"):
        text = page(Shown(cloud, labels, ["a", "b"], RED_BLUE, up=up))
        vertices, facts = vertices_of(text), facts_of(text)
        x, y, z = (vertices["place"] / 65535 - 0.5).T * np.array(facts["extent"])[:, None]
        scale = np.linalg.norm(np.ptp(cloud.xyz, axis=0)) / 2
        original = {"z": (x, y, z), "y": (y, z, x), "x": (z, x, y)}[up]
        np.testing.assert_allclose(scale * np.stack(original, axis=1), cloud.xyz, atol=1e-4)
        assert np.argmax([np.allclose(scale * z, axis, atol=1e-4) for axis in cloud.xyz.T]) == "xyz".index(up)
        np.testing.assert_array_equal(vertices["label"], labels)


def test_a_cloud_too_large_for_a_browser_is_shown_evenly_and_counted_whole() -> None:
    cloud = ball(1000)
    labels = np.repeat([0, 1, -1], [500, 300, 200])
    text = page(Shown(cloud, labels, ["a", "b"], RED_BLUE), most=100)
    facts = facts_of(text)
    assert np.bincount(vertices_of(text)["label"]).tolist() == [50, 30, 20]
    assert [(row["name"], row["count"]) for row in facts["legend"]] == [("a", 500), ("b", 300), ("unknown", 200)]
    assert (facts["points"], facts["total"]) == (100, 1000)
    assert facts["note"] == "1,000 points, of which an even 100 are shown"


def test_what_is_not_known_of_a_cloud_cannot_be_switched_to() -> None:
    plain = page(Shown(ball(), np.zeros(3000, int), ["a"], RED_BLUE[:1]))
    assert [mode for mode, _ in facts_of(plain)["modes"]] == ["labels"]
    assert facts_of(plain)["scores"] is None


def test_scores_of_too_many_points_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    few = page(Shown(ball(10), np.zeros(10, int), ["a"], RED_BLUE[:1], scores=np.linspace(-1, 1, 10)[:, None]))
    assert facts_of(few)["scores"] == [-1.0, 1.0]
    assert vertices_of(few)["best"].tolist() == [round(255 * place / 9) for place in range(10)]
    monkeypatch.setattr("s4tok_pipelines.outputs.viewer.MOST_SCORES", 9)
    many = page(Shown(ball(10), np.zeros(10, int), ["a"], RED_BLUE[:1], scores=np.zeros((10, 1))))
    assert facts_of(many)["scores"] is None


def test_points_in_one_place_make_a_page_too() -> None:
    text = page(Shown(PointCloud.of(np.zeros((5, 3))), np.zeros(5, int), ["a"], RED_BLUE[:1]))
    assert np.isfinite(facts_of(text)["extent"]).all()


def test_no_name_breaks_out_of_the_page() -> None:
    text = page(Shown(ball(), np.zeros(3000, int), [HOSTILE], RED_BLUE[:1], title=HOSTILE))
    assert "<img" not in text
    assert facts_of(text)["legend"][0]["name"] == HOSTILE


def in_browser(text: str, driver: str, folder: Path) -> dict[str, Any]:
    """Run a script at a page's end, and give what it reports."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip("no Chromium on this machine")
    file = folder / "page.html"
    file.write_text(text.replace("</body>", f"{driver}</body>"))
    done = subprocess.run(
        [
            browser, "--headless", "--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader",
            "--enable-unsafe-swiftshader", "--window-size=800,600", f"--user-data-dir={folder / 'profile'}",
            "--dump-dom", file.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    report_of = re.search(r'<pre id="report">(.*?)</pre>', done.stdout, re.DOTALL)
    assert report_of, done.stderr[-2000:]
    report: dict[str, Any] = json.loads(html.unescape(report_of[1]))
    return report


def test_in_a_browser_points_are_drawn_and_the_legend_switches_them(tmp_path: Path) -> None:
    cloud = ball(color=np.tile([0.0, 1.0, 0.0], (3000, 1)))
    labels = (cloud.xyz[:, 2] > 0).astype(np.int64)
    scores = np.stack([1 - labels, np.where(cloud.xyz[:, 0] > 0, 0.2, 1.0)], axis=1)
    text = page(
        Shown(
            cloud,
            labels,
            ["below", HOSTILE],
            RED_BLUE,
            superpoints=labels,
            truth=np.zeros(3000, int),
            scores=scores,
            title=HOSTILE,
        )
    )
    report = in_browser(text, DRIVER, tmp_path)
    seen = {step.pop("name"): step for step in report["steps"]}
    assert [step.pop("asked") for step in seen.values()] == [False, *[True] * 9]
    nothing = {"red": 0, "blue": 0, "green": 0}
    assert min(seen["all"]["red"], seen["all"]["blue"]) > 5000
    assert seen["one off"]["red"] == 0
    assert seen["one off"]["blue"] >= seen["all"]["blue"]
    assert seen["none"] == nothing
    assert seen["all again"] == seen["all"]
    assert seen["colour"]["green"] > 10000
    assert seen["superpoints"] == nothing  # neither wheel colour is pure
    assert (seen["truth"]["blue"], seen["truth"]["red"] > 10000) == (0, True)
    assert (seen["scores"]["red"], seen["scores"]["blue"]) == (0, 0)
    assert 0 < seen["greyed"]["blue"] < seen["not greyed"]["blue"]  # half of them have a best score of 0.2
    assert seen["greyed"]["red"] == seen["not greyed"]["red"] > 0
    assert report["heat"]
    assert not report["tip"][0]
    assert report["picked"]["label"] in ("below", HOSTILE)
    assert report["picked"]["truth"] == "below"
    assert report["picked"]["superpoint"] in ("0", "1")
    assert 0.9 < np.linalg.norm([float(each) for each in report["picked"]["x, y, z"].split(", ")]) < 1.1
    assert (report["nothing"], report["mode"], report["turned"]) == (None, "truth", True)
    assert sorted(report["names"]) == sorted(["below", HOSTILE])
    assert (report["images"], report["title"]) == (0, HOSTILE)


COMPARE = """<script>
const count = () => {
  paint();
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const pen = copy.getContext("2d");
  pen.drawImage(canvas, 0, 0);
  const seen = { red: 0, blue: 0, ends: [0, 0] }; // and the last red and the first blue column
  const pixels = pen.getImageData(0, 0, copy.width, copy.height).data;
  seen.ends = [0, copy.width];
  for (let i = 0; i < pixels.length; i += 4) {
    const [r, g, b] = pixels.slice(i, i + 3), column = (i / 4) % copy.width;
    if (r > 45 && g < 10 && b < 10) { seen.red++; seen.ends[0] = Math.max(seen.ends[0], column); }
    if (b > 45 && r < 10 && g < 10) { seen.blue++; seen.ends[1] = Math.min(seen.ends[1], column); }
  }
  return seen;
};
const key = (name) => dispatchEvent(new KeyboardEvent("keydown", { key: name }));
const told = { one: count(), notes: [element("note").textContent] };
key("n");
told.two = count();
told.notes.push(element("note").textContent);
key("p");
key("c");
told.both = count();
element("split").value = "1";
element("split").dispatchEvent(new Event("input"));
told.whole = count();
key("c");
key("m");
const middle = [320 + (innerWidth - 320) / 2, innerHeight / 2];
const at = (x) => { const point = pick(x, middle[1]); measure(point, under(x)); return about(point); };
told.ends = [at(middle[0] - 60), at(middle[0] + 60)].map((each) => each.find(([what]) => what === "x, y, z")[1]);
paint();
told.line = !element("ruler").firstElementChild.hasAttribute("hidden");
told.xs = ["x1", "x2"].map((name) => Number(element("ruler").firstElementChild.getAttribute(name)) - middle[0]);
told.apart = [...document.querySelectorAll("#picked dd")].map((each) => each.textContent);
key("Escape");
told.gone = [element("picked").hidden, view.isMeasuring];
document.body.innerHTML = "";
document.body.append(Object.assign(document.createElement("pre"), { id: "report", textContent: JSON.stringify(told) }));
</script>
"""


def test_in_a_browser_clouds_are_switched_compared_and_measured(tmp_path: Path) -> None:
    cloud = ball(20_000)
    ones = np.zeros(20_000, int)
    told = in_browser(
        page(Shown(cloud, ones, ["a", "b"], RED_BLUE), Shown(cloud, ones + 1, ["a", "b"], RED_BLUE, about="after")),
        COMPARE,
        tmp_path,
    )
    assert told["notes"] == ["20,000 points", "20,000 points; after"]
    assert (told["one"]["red"] > 10000, told["one"]["blue"]) == (True, 0)
    assert (told["two"]["blue"], told["two"]["red"]) == (told["one"]["red"], 0)
    assert told["both"]["red"] + told["both"]["blue"] == told["one"]["red"]
    assert told["both"]["ends"][0] < told["both"]["ends"][1]
    assert told["both"]["red"] > 1000 < told["both"]["blue"]
    assert told["whole"]["red"] == told["one"]["red"]
    first, second = (np.array([float(each) for each in end.split(", ")]) for end in told["ends"])
    assert told["line"]
    np.testing.assert_allclose(told["xs"], [-60, 60], atol=6)
    assert float(told["apart"][0]) == pytest.approx(np.linalg.norm(second - first), abs=2e-3)
    np.testing.assert_allclose([float(each) for each in told["apart"][1].split(", ")], second - first, atol=2e-3)
    assert told["gone"] == [True, False]


BOXES = """<script>
const count = () => {
  paint();
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const pen = copy.getContext("2d");
  pen.drawImage(canvas, 0, 0);
  const pixels = pen.getImageData(0, 0, copy.width, copy.height).data, seen = { red: 0, blue: 0 };
  for (let i = 0; i < pixels.length; i += 4) {
    if (pixels[i] === 255 && pixels[i + 2] === 89) seen.red++;
    if (pixels[i + 2] === 255 && pixels[i] === 89) seen.blue++;
  }
  return seen;
};
const key = (name) => dispatchEvent(new KeyboardEvent("keydown", { key: name }));
const tick = (at) => document.querySelectorAll("#legend input")[at].click();
const told = { found: count() };
key("t");
told.truth = count();
key("t");
key("b");
told.off = count();
key("b");
element("none").click();
told.none = count();
told.button = !element("boxes").hidden;
document.body.innerHTML = "";
document.body.append(Object.assign(document.createElement("pre"), { id: "report", textContent: JSON.stringify(told) }));
</script>
"""


def test_in_a_browser_found_boxes_are_drawn_and_true_ones_with_the_truth(tmp_path: Path) -> None:
    cloud, labels = ball(), np.zeros(3000, np.int64)
    found = OrientedBoxes.of([0], [cloud.offset], [[2, 2, 2]], [0.3])
    true = OrientedBoxes.of([1], [cloud.offset], [[2, 2, 2]])
    text = page(Shown(cloud, labels, ["a", "b"], RED_BLUE, truth=labels, boxes=found, true_boxes=true))
    told = in_browser(text, BOXES, tmp_path)
    nothing = {"red": 0, "blue": 0}
    assert told["found"]["red"] > 1000
    assert told["found"]["blue"] == 0
    assert told["truth"]["blue"] > 1000
    assert told["truth"]["red"] == 0
    assert told["off"] == told["none"] == nothing
    assert told["button"]


@pytest.mark.parametrize("up", ["x", "y", "z"])
def test_corners_of_a_box_stand_where_its_points_do(up: str) -> None:
    box = OrientedBoxes.of([0], [[100.0, -5, 3]], [[4, 1, 2]], [0.4])
    corners = box_corners(box, up)[0]
    text = page(Shown(PointCloud.of(corners), np.zeros(8, np.int64), ["a"], RED_BLUE[:1], boxes=box, up=up))
    vertices, facts = vertices_of(text), facts_of(text)
    places = (vertices["place"] / 65535 - 0.5) * np.array(facts["extent"])
    np.testing.assert_allclose(np.reshape(facts["boxes"][0]["corners"], (8, 3)), places, atol=1e-4)
