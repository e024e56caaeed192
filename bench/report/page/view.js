// The view: what is searched for, chosen and sorted. It stands in the address, so that a link opens it again.
const view = {search: "", left: {paradigm: new Set(), task: new Set()}, columns: null, sort: {}, axis: {}, row: null};

// In the address: q; paradigm and task, those that are left out; column, those that are shown; then for a table
// sort=TABLE:key,!key (! is worst first), axis=TABLE:key and row=TABLE:label.
function readView() {
  const query = new URLSearchParams(location.search);
  view.search = query.get("q") ?? "";
  for (const kind of ["paradigm", "task"]) view.left[kind] = new Set(query.getAll(`without-${kind}`));
  view.columns = query.has("column") ? new Set(query.getAll("column")) : null;
  const pairs = name => query.getAll(name).map(text => [text.slice(0, text.indexOf(":")), text.slice(text.indexOf(":") + 1)]);
  for (const [table, keys] of pairs("sort")) {
    view.sort[table] = keys.split(",").map(decodeURIComponent).map(key => ({key: key.replace(/^!/, ""), reversed: key.startsWith("!")}));
  }
  for (const [table, key] of pairs("axis")) view.axis[table] = key;
  view.row = pairs("row")[0] ?? null;
}

function writeView(anchor = null) {
  const query = new URLSearchParams();
  if (view.search) query.set("q", view.search);
  for (const kind of ["paradigm", "task"]) for (const name of view.left[kind]) query.append(`without-${kind}`, name);
  for (const name of view.columns ?? []) query.append("column", name);
  for (const [table, order] of Object.entries(view.sort)) {
    if (order.length) query.append("sort", `${table}:${order.map(one => (one.reversed ? "!" : "") + encodeURIComponent(one.key)).join(",")}`);
  }
  for (const [table, key] of Object.entries(view.axis)) query.append("axis", `${table}:${key}`);
  if (view.row) query.append("row", view.row.join(":"));
  const text = query.toString();
  const hash = anchor === null ? location.hash : `#${anchor}`;
  try {
    history.replaceState(null, "", `${location.pathname}${text ? `?${text}` : ""}${hash}`);
  } catch { /* a page within a page may not have an address of its own */ }
  $("#reset").hidden = !text;
}

const isShown = column => view.columns ? column.key === "model" || view.columns.has(column.choice) : column.shown;

// Every word must occur; the constant answer is of no paradigm.
function matches(row) {
  const words = view.search.toLowerCase().split(/\s+/).filter(Boolean);
  return words.every(word => row.text.includes(word)) && (row.constant || !view.left.paradigm.has(row.paradigm));
}

function apply() {
  let shown = 0, total = 0;
  for (const table of data.tables) {
    table.visible = table.rows.filter(matches);
    const models = table.visible.filter(row => !row.constant).length;
    const all = table.rows.filter(row => !row.constant).length;
    const left = view.left.task.has(table.id) || (all > 0 && models === 0);
    table.section.hidden = left;
    for (const line of $$(`.answer tr[data-table="${CSS.escape(table.id)}"]`)) line.hidden = view.left.task.has(table.id);
    shown += left ? 0 : models;
    total += all;
    if (!left) showTable(table);
  }
  for (const menu of $$(".menu")) menu.classList.toggle("some", $$("input", menu).some(box => !box.checked && $(".choices", menu).id !== "columns"));
  const filtered = view.search || view.left.paradigm.size || view.left.task.size;
  $("#shown").textContent = filtered ? `${shown} of ${total} rows` : "";
  redraw();
}

function startView() {
  readView();
  $("#search").value = view.search;
  $("#search").addEventListener("input", () => { view.search = $("#search").value; apply(); writeView(); });
  for (const kind of ["paradigm", "task"]) {
    menu(kind, name => !view.left[kind].has(name), boxes => {
      view.left[kind] = new Set(boxes.filter(box => !box.checked).map(box => box.value));
    });
  }
  const byDefault = new Set(data.tables.flatMap(table => table.columns).filter(column => column.shown).map(column => column.choice));
  menu("column", name => (view.columns ?? byDefault).has(name), boxes => {
    const chosen = new Set(boxes.filter(box => box.checked).map(box => box.value));
    const usual = chosen.size === boxes.filter(box => byDefault.has(box.value)).length && [...chosen].every(name => byDefault.has(name));
    view.columns = usual ? null : chosen;
  });
  $("#reset").addEventListener("click", () => { location.href = location.pathname + location.hash; });
  $("#go").addEventListener("change", event => {
    const section = document.getElementById(event.target.value);
    writeView(event.target.value);
    (section.hidden ? $("#answer") : section).scrollIntoView();
  });
  document.addEventListener("click", event => {
    for (const open of $$(".menu[open]")) if (!open.contains(event.target)) open.open = false;
  });
  document.addEventListener("keydown", event => {
    const open = event.key === "Escape" && $(".menu[open]");
    if (open) { open.open = false; $("summary", open).focus(); }
  });
}

// The checkboxes of a menu, and two buttons for all of them.
function menu(kind, checked, keep) {
  const box = $(`#${kind}s`), boxes = $$("input", box);
  const changed = () => { keep(boxes); apply(); writeView(); };
  for (const one of boxes) {
    one.checked = checked(one.value);
    one.addEventListener("change", changed);
  }
  const all = on => () => { for (const one of boxes) one.checked = on; changed(); };
  box.prepend(make("div", {class: "all"}, make("button", {type: "button", click: all(true)}, "All"), make("button", {type: "button", click: all(false)}, "None")));
}
