// Colours, then everything in its order.
function startTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)"), button = $("#theme");
  const kept = () => { try { return localStorage.getItem("setbench-theme"); } catch { return null; } };
  const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
  const show = () => { button.setAttribute("aria-pressed", isDark()); redraw(); };
  if (kept()) document.documentElement.dataset.theme = kept();
  button.addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    try { localStorage.setItem("setbench-theme", document.documentElement.dataset.theme); } catch { /* not kept */ }
    show();
  });
  dark.addEventListener("change", show);
  show();
}

async function start() {
  if (!("DecompressionStream" in window)) return; // of an old browser: the tables stand as they are
  data = JSON.parse(await unpack("data"));
  looks = Object.fromEntries(data.paradigms.map(one => [one.name, one]));
  document.documentElement.classList.add("on");
  for (const table of data.tables) startTable(table);
  startView();
  for (const table of data.tables) { startPlots(table); startDrawings(table); }
  for (const element of $$("[data-ranks]")) {
    plot(element, () => ranksPlot(data.standings[element.dataset.ranks]));
    waiting.get(element).bar = false;
  }
  apply();
  startTheme();
  startPanel();
  $("#reset").hidden = !location.search;
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!data.tables.length) for (const control of $$("header .go, header .find, header .menu")) control.hidden = true;
  if (target) target.scrollIntoView(); // the page has grown since the browser went there
  document.documentElement.dataset.ready = "";
}

start();
