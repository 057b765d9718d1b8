// A city's page: draws its radar beside another city and its years. The tables hold the same figures without it.

import { radarOption, yearsOption } from "./charts.js";
import { fill, readPageData } from "./page-data.js";

const page = readPageData();
const { chart, texts } = page;

function draw(element) {
  const canvas = window.echarts.init(element, null, { renderer: "svg", locale: page.lang === "zh" ? "ZH" : "EN" });
  new ResizeObserver(() => canvas.resize()).observe(element);
  return canvas;
}

function drawRadar(radar, other, theirs) {
  const drawn = chart.axes.filter((code) => chart.scores[code] != null && theirs[code] != null);
  const left = chart.axes.filter((code) => !drawn.includes(code)).map((code) => chart.names[code]);
  const note = left.length ? fill(texts.left_out, { names: left.join(page.lang === "zh" ? "、" : ", ") }) : "";
  const element = radar.getDom();
  element.setAttribute("aria-label", fill(texts.radar, { hub: chart.hub.name, other: other.name }));
  radar.clear();
  if (drawn.length < 3) return `${texts.too_few} ${note}`;
  const values = (scores) => drawn.map((code) => scores[code]);
  radar.setOption(
    radarOption(
      drawn.map((code) => chart.names[code]),
      { name: chart.hub.name, values: values(chart.scores) },
      { name: other.name, values: values(theirs) },
    ),
  );
  return note;
}

function writeScores(other, theirs) {
  for (const cell of document.querySelectorAll("td[data-other]")) {
    const score = theirs[cell.dataset.other];
    cell.replaceChildren(score == null ? missing() : score.toFixed(1));
  }
  document.querySelector("th[data-other]").textContent = fill(page.scoreOf, { city: other.name });
  document.getElementById("groups-caption").textContent = fill(page.captionGroups, {
    city: chart.hub.name,
    year: page.year,
    other: other.name,
  });
}

function missing() {
  const dash = document.createElement("span");
  dash.className = "missing";
  dash.title = page.missing;
  dash.textContent = "—";
  return dash;
}

async function fetchScores(hub) {
  const answer = await fetch(`${page.root}/v1/hubs/${hub}/standing?year=${page.year}&base=${page.base}`);
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  const rows = await answer.json();
  return Object.fromEntries(rows.filter((row) => row.kind === "score").map((row) => [row.code, row.score]));
}

function keepInAddress(other) {
  const here = new URL(location.href);
  here.searchParams.set("vs", other.hub);
  history.replaceState(null, "", here);
  for (const link of document.querySelectorAll("a[data-switch]")) {
    const target = new URL(link.href);
    target.search = here.search;
    link.href = target.pathname + target.search;
  }
}

async function compareWith(radar, other, isStillWanted) {
  const note = document.getElementById("radar-note");
  try {
    const theirs = await fetchScores(other.hub);
    if (!isStillWanted()) return;
    const remark = drawRadar(radar, other, theirs);
    writeScores(other, theirs);
    keepInAddress(other);
    note.textContent = `${fill(texts.compared, { other: other.name })} ${remark}`;
  } catch {
    note.textContent = fill(texts.failed, { other: other.name });
  }
}

const radar = draw(document.getElementById("radar"));
document.getElementById("radar-note").textContent = drawRadar(radar, chart.other, chart.otherScores);
draw(document.getElementById("years")).setOption(yearsOption(chart.years, chart.partial, texts));

const choice = document.getElementById("other");
choice.addEventListener("change", () => {
  const hub = choice.value;
  compareWith(radar, { hub, name: choice.selectedOptions[0].textContent.trim() }, () => choice.value === hub);
});
