// The two charts of the overview; the table below them has the same numbers.
const BUCKET_SECONDS = 10;
const MOST = 360;
const LEAST_SECONDS = 300;
const LEAST_WIDTH = 48, LETTER_WIDTH = 7;
const CHARTS = {
  "chart-load": { text: (value) => value.toLocaleString("en", { maximumFractionDigits: 1 }), lines: [["accepted", 1, "--line-1"], ["answered", 2, "--line-2"]] },
  "chart-latency": { text: duration, lines: [["p50", 3, "--line-1"], ["p95", 4, "--line-2"], ["p99", 5, "--line-3"]], factor: 1000 },
};
const points = JSON.parse(document.getElementById("points").textContent);
let plots = [];

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function columns({ lines, factor = 1 }) {
  const values = (at) => points.map((point) => (point[at] === null ? null : point[at] * factor));
  return [points.map((point) => point[0]), ...lines.map(([, at]) => values(at))];
}

function duration(ms) {
  const [number, unit] = ms < 1000 ? [ms, "ms"] : ms < 60_000 ? [ms / 1000, "s"] : [ms / 60_000, "min"];
  return `${number.toLocaleString("en", { maximumFractionDigits: 1 })} ${unit}`;
}

function axis(text) {
  return {
    stroke: colour("--faint"),
    grid: { stroke: colour("--edge"), width: 1 },
    ticks: { show: false },
    font: "12px system-ui",
    // As wide as its longest label, which grows with the values.
    size: (_, labels) => Math.max(LEAST_WIDTH, ...(labels ?? []).map((label) => (label.length + 2) * LETTER_WIDTH)),
    values: (_, ticks) => ticks.map(text),
  };
}

function options(element, { text, lines }) {
  return {
    width: element.clientWidth,
    height: 200,
    cursor: { y: false, drag: { x: false } },
    legend: { live: true },
    // At least five minutes, so that the first points do not fill the whole width.
    scales: { x: { range: (_, first, last) => [Math.min(first, last - LEAST_SECONDS), last] }, y: { range: (_, __, most) => [0, Math.max(most * 1.1, 1)] } },
    axes: [{ stroke: colour("--faint"), grid: { show: false }, ticks: { show: false }, font: "12px system-ui" }, axis(text)],
    series: [{}, ...lines.map(([label, , line], at) => ({
      label,
      stroke: colour(line),
      width: 2,
      dash: [[], [6, 3], [2, 2]][at],
      fill: at === 0 ? colour("--line-1-fill") : undefined,
      points: { show: points.length < 20 },
      value: (_, value) => (value === null ? "–" : text(value)),
    }))],
  };
}

function draw() {
  for (const plot of plots) plot.destroy();
  plots = Object.entries(CHARTS).map(([id, chart]) => {
    const element = document.getElementById(id);
    return new window.uPlot(options(element, chart), columns(chart), element);
  });
}

function add({ detail: point }) {
  const last = points.at(-1);
  if (last && point[0] - last[0] < BUCKET_SECONDS) return;
  points.push(point);
  if (points.length > MOST) points.shift();
  draw();
}

draw();
document.addEventListener("point", add);
document.addEventListener("theme", draw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
addEventListener("resize", draw);
