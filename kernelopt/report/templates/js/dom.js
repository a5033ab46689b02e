// Everything on the page that comes out of a pack becomes a text node here: no markup is ever parsed.

const $ = (id) => document.getElementById(id);

/** An element with attributes and children; strings become text. */
function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === "onclick") made.addEventListener("click", value);
    else if (value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

/** The same for drawings. */
function draw(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

const opened = new Map();

/** The data of a pack: base64 of gzip of JSON. Each is opened once. */
function unpack(name) {
  if (!opened.has(name)) opened.set(name, inflate(name));
  return opened.get(name);
}

async function inflate(name) {
  const holder = [...document.querySelectorAll("script[data-pack]")].find((s) => s.dataset.pack === name);
  if (!holder) throw new Error(`this report has no ${name}`);
  if (!("DecompressionStream" in window)) throw new Error("this browser is too old to open what is packed here");
  const bytes = Uint8Array.from(atob(holder.textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

/** A figure as short as it can be read. */
function figure(value, digits = 3) {
  if (value === null || value === undefined) return "–";
  return Math.abs(value) >= 1e6 || (value !== 0 && Math.abs(value) < 1e-3)
    ? value.toExponential(digits - 1)
    : String(Number(value.toPrecision(digits)));
}

function speedupText(speedup) {
  if (!speedup) return "–";
  const [median, low, high] = speedup.map((value) => (value === null ? "?" : value.toFixed(2)));
  return `${median}× [${low}, ${high}]`;
}

function grid(columns, rows, right = []) {
  const cell = (tag, text, index, more = {}) => el(tag, right.includes(index) ? { class: "num", ...more } : more, String(text));
  return el("div", { class: "scroll" }, el("table", { class: "grid" },
    el("thead", {}, el("tr", {}, columns.map((name, i) => cell("th", name, i, { scope: "col" })))),
    el("tbody", {}, rows.map((row) => el("tr", {}, row.map((text, i) => cell("td", text, i)))))));
}

/** Tabs with arrow keys; a panel is made when it is first shown. `parts` is a list of [name, make]. */
function tabs(parts, first = 0) {
  const panel = el("div", { role: "tabpanel", tabindex: "0" });
  const buttons = parts.map(([name], i) => el("button", { role: "tab", type: "button", onclick: () => show(i) }, name));
  const made = parts.map(() => null);
  function show(i) {
    buttons.forEach((button, j) => {
      button.setAttribute("aria-selected", String(i === j));
      button.tabIndex = i === j ? 0 : -1;
    });
    made[i] ??= parts[i][1]();
    panel.setAttribute("aria-label", parts[i][0]);
    panel.replaceChildren(...[made[i]].flat());
  }
  const bar = el("div", { class: "tabs", role: "tablist" }, buttons);
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = (buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length;
    show(next);
    buttons[next].focus();
  });
  show(Math.min(first, parts.length - 1));
  return [bar, panel];
}
