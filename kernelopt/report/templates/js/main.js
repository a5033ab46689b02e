// What happens when: links inside the page, the dialog, the table's tools, tips.

function openPane(title, subtitle, list, body) {
  const dialog = $("detail");
  const close = el("button", { type: "button", "aria-label": "Close", onclick: () => dialog.close() }, "✕");
  const head = el("header", {}, el("div", {}, el("h2", { id: "detail-title" }, title), el("span", { class: "note" }, subtitle)), close);
  dialog.replaceChildren(el("div", { class: "pane" }, head, list, body));
  if (!dialog.open) dialog.showModal();
}

/** A wide drawing that does not fit is shown around its root, not around its empty corner. */
function centreLineage() {
  const box = document.querySelector("#lineage .scroll"), root = document.querySelector("#lineage .node");
  if (root) box.scrollLeft = root.cx.baseVal.value - box.clientWidth / 2;
}

let turn = 0, shown = "";

/** Show what the address names: #task/SLUG, #task/SLUG/3, #task/SLUG/by/CANDIDATE, #prompt/2, #prompt/2/PARENT. */
async function route() {
  const mine = ++turn;
  shown = location.hash;
  const [kind, ...rest] = location.hash.slice(1).split("/");
  if (kind !== "task" && kind !== "prompt") return $("detail").open && $("detail").close();
  try {
    rest[0] = decodeURIComponent(rest[0]);
    await unpack(kind === "task" ? `task/${rest[0]}` : "prompts");
    if (mine === turn) await (kind === "task" ? showTask(...rest) : showPrompt(...rest));
  } catch (error) {
    openPane("Cannot be shown", String(error.message), el("div", { class: "list" }), el("div", { class: "body" }));
  }
}

function tip(text, x = 0, y = 0) {
  const box = $("tip");
  box.hidden = !text;
  box.textContent = text;
  if (!text) return;
  box.style.left = `${Math.max(4, Math.min(x + 12, innerWidth - box.offsetWidth - 8))}px`;
  box.style.top = `${Math.max(4, y - box.offsetHeight - 10)}px`;
}

function tips() {
  const named = (event) => event.target.closest?.("[data-tip]");
  document.addEventListener("pointerover", (event) => { const on = named(event); if (on) tip(on.dataset.tip, event.clientX, event.clientY); });
  document.addEventListener("pointerout", (event) => named(event) && tip(""));
  document.addEventListener("focusin", (event) => { const on = named(event); if (on) { const box = on.getBoundingClientRect(); tip(on.dataset.tip, box.left, box.top); } });
  document.addEventListener("focusout", (event) => named(event) && tip(""));
}

function taskTable() {
  const rows = [...document.querySelectorAll("#task-table tbody tr")];
  const filter = () => {
    const words = $("find").value.toLowerCase().trim(), only = $("only").value;
    let shown = 0;
    for (const row of rows) {
      row.hidden = !row.dataset.find.includes(words) || (only !== "" && row.dataset.status !== only);
      shown += !row.hidden;
    }
    $("shown").textContent = shown === rows.length ? "" : `${shown} of ${rows.length} tasks`;
  };
  const order = () => {
    const suite = $("order").value === "suite";
    const sorted = suite ? [...rows].sort((a, b) => a.dataset.order - b.dataset.order) : rows;
    document.querySelector("#task-table tbody").append(...sorted);
  };
  $("find").addEventListener("input", filter);
  $("only").addEventListener("change", filter);
  $("order").addEventListener("change", order);
}

$("detail").addEventListener("close", () => { if (shown && location.hash === shown) history.pushState(null, "", location.pathname + location.search); });
$("detail").addEventListener("click", (event) => event.target === $("detail") && $("detail").close());
addEventListener("hashchange", route);
taskTable();
heatMap();
centreLineage();
tips();
route();
