// The shortest difference of two texts by lines (Myers, 1986).

const FARTHEST = 1500;

/** List of [sign, line]; beyond FARTHEST changes everything is taken for replaced. */
function diffLines(before, after) {
  const a = before.split("\n"), b = after.split("\n");
  let head = 0, tail = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const middle = shortest(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  const same = (line) => [" ", line];
  return [...a.slice(0, head).map(same), ...middle, ...a.slice(a.length - tail).map(same)];
}

function shortest(a, b) {
  const trace = [];
  let reach = new Map([[1, 0]]);
  for (let d = 0; d <= Math.min(a.length + b.length, FARTHEST); d++) {
    trace.push(new Map(reach));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
      let x = down ? reach.get(k + 1) : reach.get(k - 1) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      reach.set(k, x);
      if (x >= a.length && x - k >= b.length) return walkBack(trace, a, b);
    }
  }
  return [...a.map((line) => ["-", line]), ...b.map((line) => ["+", line])];
}

function walkBack(trace, a, b) {
  const found = [];
  let x = a.length, y = b.length;
  for (let d = trace.length - 1; d >= 0; d--) {
    const reach = trace[d], k = x - y;
    const down = k === -d || (k !== d && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
    const from = down ? k + 1 : k - 1;
    const startX = d ? reach.get(from) : 0, startY = d ? startX - from : 0;
    while (x > startX && y > startY) found.push([" ", a[--x]]), y--;
    if (!d) break;
    if (down) found.push(["+", b[--y]]);
    else found.push(["-", a[--x]]);
  }
  return found.reverse();
}

/** The difference with three lines around each change; longer unchanged parts are counted. */
function diffView(before, after, label, around = 3) {
  const lines = diffLines(before, after);
  const changed = lines.map(([sign]) => sign !== " ");
  if (!changed.some(Boolean)) return el("p", { class: "note" }, "Nothing changed.");
  const near = lines.map((_, i) => changed.slice(Math.max(0, i - around), i + around + 1).some(Boolean));
  const rows = [];
  let hidden = 0;
  const gap = () => hidden && rows.push(el("span", { class: "row gap", "data-n": "…" }, `${hidden} unchanged lines\n`));
  lines.forEach(([sign, line], i) => {
    if (!near[i]) return hidden++;
    gap();
    hidden = 0;
    const style = { "+": "row ins", "-": "row del" }[sign] || "row";
    rows.push(el("span", { class: style, "data-n": sign === "-" ? "−" : sign }, ...visible(line), "\n"));
  });
  gap();
  return el("pre", { tabindex: "0", "aria-label": label }, el("code", {}, rows));
}
