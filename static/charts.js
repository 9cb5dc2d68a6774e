// Draws the charts of a page: `[data-chart]` names the JSON that it is drawn from. Colours are the page's tokens.
"use strict";

const FAINT = 0.11; // of the area below a line
const locale = document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang;
const charts = [];

/** A token's colour as this theme has it: canvas knows neither variables nor light-dark(). */
function colour(name, alpha = 1) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  probe.hidden = true;
  document.body.append(probe);
  const [red, green, blue] = getComputedStyle(probe).color.match(/[\d.]+/g);
  probe.remove();
  return `rgba(${red}, ${green}, ${blue}, ${alpha})`;
}

// Two decimals, or as many as show that a small one is not nothing.
const number = (value) => value.toLocaleString(
  locale, Math.abs(value) < 1 ? { maximumSignificantDigits: 2 } : { maximumFractionDigits: 2 });

function days(step) {
  const shown = step === "month" ? { month: "short", year: "numeric" } : { day: "numeric", month: "short" };
  const format = new Intl.DateTimeFormat(locale, { ...shown, timeZone: "UTC" });
  return (seconds) => format.format(seconds * 1000);
}

/** What the cursor is at, as text above the chart. */
function reading(data, at, words) {
  const x = data.kind === "time" ? days(data.step) : number;
  if (data.kind === "bars") {
    return (at === data.values.length - 1 ? words.last : words.range)
      .replace("{from}", number(data.edges[at]))
      .replace("{to}", number(data.edges[at + 1]) + data.unit)
      .replace("{n}", number(data.values[at]));
  }
  const [now, before] = data.series;
  const text = `${x(data.x[at])}: ${number(now.values[at])}${data.unit || ""}`;
  return before ? `${text}, ${before.label} ${number(before.values[at])}` : text;
}

function axes(data, width) {
  const text = { stroke: colour("--lr-muted"), font: '500 12px "Inter", sans-serif', ticks: { show: false }, gap: 8 };
  const x = data.kind === "time" ? days(data.step) : (value) => number(value) + (data.kind === "bars" ? data.unit : "");
  const y = (value) => number(value) + (data.kind === "curve" ? data.unit : "");
  const whole = data.kind === "curve" ? {} : { incrs: [1, 2, 5].flatMap((n) => [...Array(9).keys()].map((e) => n * 10 ** e)).sort((a, b) => a - b) };
  const steps = data.kind === "curve" ? { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] } : {};
  return [
    { ...text, ...steps, grid: { show: false }, space: width < 500 ? 64 : 110, size: 30, values: (_, at) => at.map(x) },
    { ...text, ...whole, grid: { stroke: colour("--lr-border"), width: 1 }, size: 56, values: (_, at) => at.map(y) },
  ];
}

/** Vertical marks at the quantiles, each with its name. */
function marks(data) {
  return (plot) => {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = colour("--lr-text");
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.font = `600 ${11 * devicePixelRatio}px "Inter", sans-serif`;
    ctx.textAlign = "center";
    let free = -Infinity;
    for (const mark of data.marks) {
      const inside = Math.min(mark.at, data.edges[data.edges.length - 1]);
      const x = Math.round(plot.valToPos(inside, "x", true));
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      const text = Math.max(x, free + 26 * devicePixelRatio);
      free = text;
      ctx.fillText(mark.label, text, bbox.top - 6 * devicePixelRatio);
    }
    ctx.restore();
  };
}

function series(data) {
  const accent = colour("--lr-accent");
  if (data.kind === "bars") {
    const paths = uPlot.paths.bars({ size: [0.92, Infinity], align: 1 });
    return [{}, { paths, fill: colour("--lr-accent", 0.75), stroke: accent, width: 0, points: { show: false } }];
  }
  const [now, before] = data.series;
  const fill = colour("--lr-accent", FAINT);
  const alone = { show: now.values.length === 1, size: 8, fill: accent };
  return [
    {},
    ...(before ? [{ stroke: colour("--lr-muted"), width: 1.5, dash: [5, 4], points: { show: false } }] : []),
    { stroke: accent, width: 2.5, fill, points: alone },
  ];
}

function columns(data) {
  if (data.kind === "bars") return [data.edges.slice(0, -1), data.values];
  const [now, before] = data.series;
  return before ? [data.x, before.values, now.values] : [data.x, now.values];
}

function scales(data) {
  const top = (_, __, most) => [0, data.kind === "curve" ? 100 : uPlot.rangeNum(0, Math.max(most, 4), { min: { pad: 0, hard: 0, mode: 1 }, max: { pad: 0.1, mode: 0 } })[1]];
  const x = { time: data.kind === "time" };
  if (data.kind === "bars") {
    const [least, most] = [data.edges[0], data.edges[data.edges.length - 1]];
    x.range = [least, most > least ? most : least + 1];
  }
  return { x, y: { range: top } };
}

function draw(element, data) {
  const width = element.clientWidth;
  const said = document.createElement("p");
  said.className = "chart-said num";
  const plot = new uPlot(
    {
      width,
      height: 240,
      padding: [data.kind === "bars" ? 22 : 12, 16, 0, 0],
      legend: { show: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      cursor: { points: { size: 9 }, drag: { x: false, y: false } },
      scales: scales(data),
      series: series(data),
      axes: axes(data, width),
      hooks: {
        setCursor: [(one) => { said.textContent = one.cursor.idx == null ? "" : reading(data, one.cursor.idx, element.dataset); }],
        ...(data.kind === "bars" ? { draw: [marks(data)] } : {}),
      },
    },
    columns(data),
    element,
  );
  element.append(said);
  return plot;
}

function redraw() {
  for (const chart of charts) {
    chart.plot?.destroy();
    chart.element.replaceChildren();
    chart.plot = draw(chart.element, chart.data);
  }
}

for (const element of document.querySelectorAll("[data-chart]")) {
  const data = JSON.parse(document.getElementById(element.dataset.chart).textContent);
  charts.push({ element, data });
}
document.fonts.ready.then(redraw);
new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
let later;
addEventListener("resize", () => { clearTimeout(later); later = setTimeout(redraw, 120); });
