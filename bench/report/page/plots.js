// Plots. Each is drawn when it comes into sight, and again when what is shown changes.
const AXES = ["train", "latency", "memory", "parameters", "invariance", "spread"];
const waiting = new Map(); // element -> how it is drawn
const inSight = new Set();
const plotly = once(async () => {
  document.head.append(make("script", {}, await unpack("plotly")));
  return window.Plotly;
});

const watcher = new IntersectionObserver(entries => {
  for (const entry of entries) {
    if (entry.isIntersecting) inSight.add(entry.target); else inSight.delete(entry.target);
    if (entry.isIntersecting && waiting.get(entry.target)?.old) paint(entry.target);
  }
}, {rootMargin: "300px"});

function plot(element, draw) {
  waiting.set(element, {draw, old: true});
  watcher.observe(element);
}

function redraw() {
  for (const [element, state] of waiting) {
    state.old = true;
    if (inSight.has(element)) paint(element);
  }
}

async function paint(element) {
  const state = waiting.get(element);
  state.old = false;
  const library = await plotly();
  const {traces, layout} = state.draw(element);
  await library.react(element, traces, layout, {responsive: true, displaylogo: false, showSendToCloud: false, plotlyServerURL: "", displayModeBar: state.bar ?? true, modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"]});
  if (!state.heard) {
    state.heard = true;
    element.on("plotly_click", event => event.points[0]?.customdata && state.click?.(event.points[0]));
  }
}

const axis = ({title, ...more}) => ({title: {standoff: 8, ...title}, gridcolor: css("--line"), zerolinecolor: css("--line"), linecolor: css("--line"), automargin: true, ...more});
const base = more => ({
  paper_bgcolor: css("--paper"), plot_bgcolor: css("--paper"), font: {color: css("--ink"), family: "system-ui, sans-serif", size: 12},
  margin: {l: 60, r: 14, t: 30, b: 56}, hovermode: "closest", showlegend: false,
  hoverlabel: {bgcolor: css("--band"), bordercolor: css("--pale"), font: {color: css("--ink")}, align: "left"}, ...more,
});

// A range with room around it, in logarithms where the scale is one.
function range(values, log) {
  const known = values.filter(one => Number.isFinite(one) && (!log || one > 0)).map(one => log ? Math.log10(one) : one);
  if (!known.length) return undefined;
  const low = Math.min(...known), high = Math.max(...known);
  const room = (high - low) * 0.08 || Math.abs(high) * 0.1 || 0.5;
  return [low - room, high + room];
}

const wide = (values, times) => {
  const known = values.filter(Number.isFinite);
  return known.length > 1 && Math.min(...known) > 0 && Math.max(...known) / Math.min(...known) > times;
};

const scoreName = table => `${safe(table.columns.find(column => column.key === "score")?.name ?? "score")}`;
const ok = one => one !== null && Math.abs(one) < 1e100; // plotly's own sums overflow beyond

// Rows that no other beats or equals in both, of those that are complete and better than the constant answer.
function front(table, points) {
  const sign = table.higher ? 1 : -1, kept = [];
  const worth = points.filter(one => one.row.complete && !one.row.floor).sort((a, b) => a.x - b.x || sign * (b.y - a.y));
  for (const one of worth) if (!kept.length || sign * one.y > sign * kept.at(-1).y) kept.push(one);
  return kept;
}

function costPlot(table, element) {
  const key = view.axis[table.id] ?? table.axes[0];
  const column = table.columns.find(one => one.key === key);
  const rows = table.visible.filter(row => !row.constant && ok(value(row, key)) && ok(value(row, "score")));
  const positive = rows.map(row => value(row, key)).filter(one => one > 0);
  const least = positive.length ? Math.min(...positive) / 3 : 1; // where a logarithm has no place for it, 0 stands here
  const points = rows.map(row => ({row, x: value(row, key) > 0 ? value(row, key) : least, y: value(row, "score")}));
  const ys = [...points.map(one => one.y), ...(ok(table.constant) ? [table.constant] : [])];
  const logY = wide(ys, 30);
  const best = front(table, points), sign = table.higher ? 1 : -1;
  const acrossX = range(points.map(one => one.x), true) ?? [0, 1], up = range(ys, logY) ?? [0, 1];
  const traces = [];
  if (best.length) {
    const stairs = best.flatMap((one, place) => [one, ...(place + 1 < best.length ? [{x: best[place + 1].x, y: one.y}] : [])]);
    traces.push({name: "front", mode: "lines", x: stairs.map(one => one.x), y: stairs.map(one => one.y), line: {color: css("--pale"), dash: "dash", width: 1.5}, hoverinfo: "skip"});
  }
  for (const paradigm of data.paradigms) {
    const own = points.filter(one => one.row.paradigm === paradigm.name);
    if (!own.length) continue;
    const bars = (name, side) => own.map(one => one.row.bars[name]?.[side] ?? 0);
    const error = name => ({type: "data", symmetric: false, array: bars(name, 1), arrayminus: bars(name, 0), color: paradigm.colour, thickness: 1, width: 0});
    traces.push({
      name: paradigm.name || "other", mode: "markers", x: own.map(one => one.x), y: own.map(one => one.y),
      marker: {color: paradigm.colour, symbol: paradigm.shape, size: 11, line: {color: css("--paper"), width: 1}, opacity: own.map(one => one.row.floor ? 0.4 : 1)},
      error_y: error("score"), ...(own.some(one => one.row.bars[key]) ? {error_x: error(key)} : {}),
      customdata: own.map(one => one.row.place),
      text: own.map(one => told(table, one.row, column)), hovertemplate: "%{text}<extra></extra>",
    });
  }
  if (ok(table.constant) && points.length) {
    traces.push({name: "best constant", mode: "lines", x: acrossX.map(one => 10 ** one), y: [table.constant, table.constant], line: {color: css("--ink"), dash: "dot", width: 1}, hovertemplate: `best constant answer: ${number(table.constant)}<extra></extra>`});
  }
  const none = best.length ? "" : ": nothing, since no row here is better than the constant answer";
  const zero = positive.length < rows.length ? " Farthest left: 0, for which a logarithm has no place." : "";
  $(".front", table.section).textContent = points.length
    ? `Dashed: the front of what is worth its cost${none}. Dotted: the best constant answer. Pale: rows no better than it.${zero}`
    : "No row here has both numbers.";
  return {traces, layout: base({
    xaxis: axis({type: "log", title: {text: `${safe(column.name)}, log scale`}, range: acrossX, ...ticks(points.map(one => one.x))}),
    yaxis: axis({type: logY ? "log" : "linear", title: {text: scoreName(table)}, range: up, ...(logY ? ticks(ys) : {})}),
    annotations: labels(best, logY, sign, acrossX, up, element),
  })};
}

// A logarithm's axis: powers of ten over many decades, 1, 2, 5 over few.
function ticks(values) {
  const decades = wide(values, 1e4);
  return {dtick: decades ? undefined : "D2", exponentformat: "power", tickformat: decades ? undefined : "~r", nticks: 9};
}

// Names on the front: on the side of the line where nothing is better, inside the plot, none over another.
function labels(best, logY, sign, across, up, element) {
  const width = element.clientWidth - 74, height = element.clientHeight - 86, taken = [];
  return [...best].reverse().flatMap(one => {
    const x = Math.log10(one.x), y = logY ? Math.log10(one.y) : one.y, right = x > across[0] + 0.55 * (across[1] - across[0]);
    const text = short(one.row.label, Math.min(26, Math.max(12, Math.floor(width / 18))));
    const left = width * (x - across[0]) / (across[1] - across[0]) - (right ? 6.3 * text.length : 0), top = height * (y - up[0]) / (up[1] - up[0]);
    if (taken.some(other => Math.abs(other.top - top) < 15 && left < other.left + other.size && other.left < left + 6.3 * text.length)) return [];
    taken.push({left, top, size: 6.3 * text.length});
    return [{
      x, y, text: safe(text), showarrow: false, font: {size: 11},
      xanchor: right ? "right" : "left", yanchor: sign > 0 ? "bottom" : "top", yshift: sign * 5, xshift: right ? -5 : 3,
    }];
  });
}
const short = (text, most = 26) => text.length > most ? `${text.slice(0, most - 1)}…` : text;

function told(table, row, column) {
  const cell = key => { const found = table.columns.find(one => one.key === key); return found ? `${safe(found.name)}: ${safe(words(table, row, found))}` : null; };
  const keys = new Set(["score", column.key, "train", "memory", "parameters", "invariance"]);
  return [`<b>${safe(row.label)}</b>`, safe(row.paradigm), ...[...keys].map(cell).filter(Boolean)].join("<br>");
}

// Points at a row of the table, where its plot is in sight.
function point(table, row) {
  const element = $(".cost", table.section);
  if (!element.data || !window.Plotly || !inSight.has(element)) return;
  element.data.forEach((trace, curve) => {
    const place = (trace.customdata ?? []).indexOf(row.place);
    if (place >= 0) window.Plotly.Fx.hover(element, [{curveNumber: curve, pointNumber: place}]);
  });
}

function curvesPlot(table) {
  const rows = table.visible.filter(row => row.curve), strong = new Set(), seen = new Set();
  for (const row of table.rows) {
    if (rows.includes(row) && !seen.has(row.paradigm)) { seen.add(row.paradigm); strong.add(row); }
  }
  const ys = rows.flatMap(row => row.curve.score).filter(ok), logY = wide(ys, 30) && !table.higher;
  const traces = [...rows].reverse().map(row => {
    const look = looks[row.paradigm] ?? {colour: css("--pale"), shape: "circle"};
    return {
      name: safe(short(row.label)), x: row.curve.seconds, y: row.curve.score, mode: strong.has(row) ? "lines+markers" : "lines", showlegend: strong.has(row),
      opacity: strong.has(row) ? 1 : 0.3, line: {color: look.colour, width: strong.has(row) ? 2 : 1}, marker: {symbol: look.shape, size: 8, color: look.colour},
      text: row.curve.step.map(step => `<b>${safe(row.label)}</b><br>step ${step.toLocaleString("en")}`), customdata: row.curve.step.map(() => row.place),
      hovertemplate: "%{text}<br>%{x:.3~r} s, %{y:.4~r}<extra></extra>", legendrank: row.place,
    };
  });
  const narrow = window.innerWidth < 800;
  return {traces, layout: base({
    showlegend: true, legend: narrow ? {orientation: "h", y: -0.25} : {x: 1.01, y: 1}, 
    xaxis: axis({type: "log", title: {text: "seconds of training, log scale"}, ...ticks(rows.flatMap(row => row.curve.seconds))}),
    yaxis: axis({type: logY ? "log" : "linear", title: {text: `${scoreName(table)}, validation`}}),
  })};
}

function ranksPlot(standing) {
  const all = standing.encoders, names = all.map(one => safe(short(one.name)));
  const traces = data.paradigms.flatMap(paradigm => {
    const own = all.map((one, place) => ({...one, place})).filter(one => one.paradigm === paradigm.name);
    return own.length ? [{
      name: paradigm.name, mode: "markers", x: own.map(one => one.mean), y: own.map(one => one.place),
      marker: {color: paradigm.colour, symbol: paradigm.shape, size: 11, line: {color: css("--paper"), width: 1}},
      error_x: {type: "data", array: own.map(one => Number(one.half ?? 0)), color: paradigm.colour, thickness: 1.5, width: 0},
      text: own.map(one => `<b>${safe(one.name)}</b><br>${safe(one.paradigm)}<br>mean rank ${number(one.mean)} ± ${number(one.half === null ? null : Number(one.half), 2)}<br>ranks ${one.low} to ${one.high}`),
      hovertemplate: "%{text}<extra></extra>",
    }] : [];
  });
  return {traces, layout: base({
    xaxis: axis({title: {text: "mean rank"}, range: [0.6, all.length + 0.4], dtick: all.length > 12 ? undefined : 1}),
    yaxis: axis({tickvals: all.map((_, place) => place), ticktext: names, autorange: false, range: [all.length - 0.4, -0.6], gridcolor: "transparent"}),
  })};
}

function startPlots(table) {
  const scored = table.columns.some(column => column.key === "score");
  table.axes = AXES.filter(key => table.rows.some(row => !row.constant && ok(value(row, key)) && ok(value(row, "score"))));
  const select = $(".axis", table.section);
  if (!scored || !table.axes.length) { $(".right", table.section).hidden = true; $(".two", table.section).classList.replace("two", "one"); }
  else {
    if (!table.axes.includes(view.axis[table.id])) delete view.axis[table.id];
    for (const key of table.axes) select.append(make("option", {value: key, selected: view.axis[table.id] === key}, table.columns.find(one => one.key === key).name));
    select.addEventListener("change", () => { view.axis[table.id] = select.value; redraw(); writeView(table.id); });
    const element = $(".cost", table.section), found = new Set(table.rows.map(row => row.paradigm));
    $(".key", table.section).append(...data.paradigms.filter(one => found.has(one.name)).map(one => make("span", {}, glyph(one.name), one.name || "other")));
    plot(element, () => costPlot(table, element));
    waiting.get(element).click = hit => openPanel(table, table.rows[hit.customdata]);
  }
  const curves = $(".curves", table.section);
  if (table.rows.some(row => row.curve)) {
    curves.hidden = false;
    const element = $(".plot", curves);
    plot(element, () => curvesPlot(table));
    waiting.get(element).click = hit => openPanel(table, table.rows[hit.customdata]);
  }
}
