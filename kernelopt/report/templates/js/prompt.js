// A prompt: its texts, and how they differ from its parents'.

async function showPrompt(index, parent) {
  const all = await unpack("prompts");
  const known = new Map(all.map((candidate) => [candidate.index, candidate]));
  const chosen = known.get(Number(index));
  if (!chosen) throw new Error(`this run has no prompt #${index}`);
  const parents = chosen.parents.filter((p) => known.has(p) && p !== chosen.index);
  const body = el("div", { class: "body" });
  const children = all.filter((c) => c.parents.includes(chosen.index) && c.index !== chosen.index);
  const list = el("div", { class: "list" },
    el("p", { class: "note" }, parents.length ? "Parents" : "A seed: it has no parents."), parents.map((p) => promptLink(known.get(p))),
    children.length ? el("p", { class: "note" }, "Children") : null, children.map(promptLink));
  openPane(`Prompt #${chosen.index}`, `${chosen.how}, iteration ${chosen.iteration}, mean score ${chosen.mean.toFixed(3)} on ${chosen.tasks} tasks`, list, body);
  const views = [
    ...parents.map((p) => [`Diff to #${p}`, () => promptDiff(known.get(p), chosen)]),
    ["Text", () => Object.entries(chosen.parts).flatMap(([name, text]) => [el("h3", {}, name), proseView(text, "Empty.")])],
  ];
  body.append(...tabs(views, Math.max(0, parents.indexOf(Number(parent)))));
}

function promptLink(candidate) {
  return el("p", {}, el("a", { href: `#prompt/${candidate.index}` }, `#${candidate.index}`), ` ${candidate.how}, ${candidate.mean.toFixed(3)}`);
}

function promptDiff(before, after) {
  const names = [...new Set([...Object.keys(before.parts), ...Object.keys(after.parts)])];
  const changed = names.filter((name) => before.parts[name] !== after.parts[name]);
  const same = names.filter((name) => !changed.includes(name));
  const made = changed.flatMap((name) => [el("h3", {}, name), diffView(before.parts[name] ?? "", after.parts[name] ?? "", `Difference of ${name}`)]);
  if (same.length) made.push(el("p", { class: "note" }, `Unchanged: ${same.join(", ")}`));
  return made;
}
