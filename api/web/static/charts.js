// Options of the two charts of a city's page. Knows how they look; fetches nothing and computes no figure.

const INK = "#1c2b33";
const QUIET = "#5a6b75";
const GRID = "#d5dcdf";
const OWN = "#0072b2"; // the two colours are told apart by colour-blind readers, and by dash and symbol too
const OTHER = "#d55e00";

function common() {
  return {
    animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    animationDuration: 300,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: INK },
  };
}

function wrapWords(text, width) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines[lines.length - 1];
    if (line && (line + " " + word).length > width) lines.push(word);
    else lines[lines.length - 1] = line ? line + " " + word : word;
  }
  return lines.join("\n");
}

export function radarOption(names, own, other) {
  const series = (city, color, dash, symbol, opacity) => ({
    name: city.name,
    value: city.values,
    symbol,
    symbolSize: 7,
    itemStyle: { color },
    lineStyle: { color, width: 2, type: dash },
    areaStyle: { color, opacity },
  });
  return {
    ...common(),
    legend: { bottom: 0, textStyle: { color: INK, fontSize: 13 }, data: [{ name: own.name, icon: "circle" }, { name: other.name, icon: "diamond" }] },
    radar: {
      indicator: names.map((name) => ({ name: wrapWords(name, 12), min: 0, max: 100 })),
      center: ["50%", "47%"],
      radius: "54%",
      splitNumber: 4,
      axisName: { color: INK, fontSize: 12, lineHeight: 15 },
      axisLine: { lineStyle: { color: GRID } },
      splitLine: { lineStyle: { color: GRID } },
      splitArea: { show: false },
    },
    series: [
      {
        type: "radar",
        data: [
          series(other, OTHER, "dashed", "diamond", 0.04),
          series(own, OWN, "solid", "circle", 0.16),
        ],
      },
    ],
  };
}

export function yearsOption(years, partial, texts) {
  const labels = years.map((row) => String(row.year));
  const point = (row, value) => ({
    value,
    symbol: partial.includes(row.year) ? "emptyCircle" : "circle",
  });
  const axis = { type: "category", data: labels, boundaryGap: true, axisTick: { show: false } };
  const line = (name, index, color, values, format) => ({
    name,
    type: "line",
    xAxisIndex: index,
    yAxisIndex: index,
    data: values,
    symbolSize: 8,
    connectNulls: false,
    itemStyle: { color },
    lineStyle: { color, width: 2 },
    label: { show: true, position: "top", color: INK, fontSize: 11, formatter: format },
  });
  const value = { type: "value", splitLine: { lineStyle: { color: GRID } }, axisLabel: { color: QUIET }, minInterval: 1 };
  const title = (text, top) => ({ text, top, left: 4, textStyle: { fontSize: 13, fontWeight: 600, color: INK } });
  return {
    ...common(),
    title: [title(texts.rank, 0), title(texts.pooled, "50%")],
    grid: [
      { left: 34, right: 14, top: 44, height: "29%" },
      { left: 34, right: 14, top: "61%", bottom: 26 },
    ],
    xAxis: [
      { ...axis, gridIndex: 0, axisLabel: { show: false }, axisLine: { show: false } },
      { ...axis, gridIndex: 1, axisLabel: { color: QUIET, interval: 0, fontSize: 11, hideOverlap: true } },
    ],
    yAxis: [
      { ...value, gridIndex: 0, inverse: true, min: 1, max: Math.max(...years.map((row) => row.ranked)), splitNumber: 3 },
      { ...value, gridIndex: 1, min: 0, max: 100, interval: 25 },
    ],
    series: [
      line(texts.rank, 0, OWN, years.map((row) => point(row, row.rank)), ({ value: rank }) => rank),
      line(texts.pooled, 1, OWN, years.map((row) => point(row, row.score_pooled)), ({ value: score }) => score.toFixed(1)),
    ],
  };
}
