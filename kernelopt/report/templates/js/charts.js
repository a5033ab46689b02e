// Measured latencies of both sides as two strips of dots, with their medians.

function strip(timing) {
  const rows = [["kernel", timing.candidate, "c0"], [timing.baseline, timing.reference, "c1"]]
    .map(([name, samples, style]) => [name, samples.filter((v) => v > 0), style])
    .filter(([, samples]) => samples.length);
  if (!rows.length) return null;
  const all = rows.flatMap(([, samples]) => samples);
  const low = Math.min(...all), high = Math.max(...all), left = 62, right = 408;
  const at = (v) => (left + (high > low ? (v - low) / (high - low) : 0.5) * (right - left)).toFixed(1);
  const middle = (samples) => [...samples].sort((a, b) => a - b)[samples.length >> 1];
  const words = rows.map(([name, samples]) => `${name}: ${samples.length} samples, median ${figure(middle(samples))} ms`).join("; ");
  const drawing = draw("svg", { class: "strip", viewBox: "0 0 420 92", role: "img", "aria-label": `Latencies. ${words}` });
  rows.forEach(([name, samples, style], i) => {
    const y = 18 + i * 28;
    const path = samples.map((v, n) => `M${at(v)} ${y + ((n * 7) % 11) - 5}h0`).join("");
    drawing.append(draw("text", { x: 0, y: y + 4 }, name), draw("path", { d: `M${left} ${y}H${right}`, class: "rule" }));
    drawing.append(draw("path", { d: path, class: `${style} dots sample` }), draw("path", { d: `M${at(middle(samples))} ${y - 10}v20`, class: "whisker" }));
  });
  for (const [v, anchor] of [[low, "start"], [high, "end"]]) {
    drawing.append(draw("text", { x: at(v), y: 84, class: anchor }, `${figure(v)} ms`));
  }
  return drawing;
}

/** Names the cell of the heat map under the pointer, and leads to its attempts. */
function heatMap() {
  const map = document.querySelector(".heat");
  if (!map) return;
  const data = JSON.parse($("heat-data").textContent);
  const { left, top, w, h } = map.dataset;
  const cell = (event) => {
    const box = map.getBoundingClientRect(), zoom = box.width / map.viewBox.baseVal.width;
    const column = Math.floor(((event.clientX - box.left) / zoom - left) / w);
    const row = Math.floor(((event.clientY - box.top) / zoom - top) / h);
    const score = data.scores[row]?.[column];
    return score === undefined || score === null ? null : { row, column, score };
  };
  map.addEventListener("pointermove", (event) => {
    const found = cell(event);
    if (found) tip(`#${data.candidates[found.row]} on ${data.tasks[found.column]}: ${found.score}`, event.clientX, event.clientY);
    else tip("");
  });
  map.addEventListener("pointerleave", () => tip(""));
  map.addEventListener("click", (event) => {
    const found = cell(event);
    if (found) location.hash = `#task/${data.tasks[found.column]}/by/${data.candidates[found.row]}`;
  });
}
