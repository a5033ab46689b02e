// A task: its attempts beside the kernel that is looked at.

const good = (attempt) => attempt.status === "PASSED" || attempt.status === "COMPILED";

async function showTask(slug, kind, wanted) {
  const task = await unpack(`task/${slug}`);
  const chosen = pickAttempt(task, kind, wanted);
  const body = el("div", { class: "body" });
  const show = (index) => {
    picks.forEach((pick, i) => pick.setAttribute("aria-current", String(i === index)));
    body.replaceChildren(...attemptView(task, index));
    body.scrollTop = 0;
  };
  const picks = task.attempts.map((attempt, i) => pickButton(task, attempt, i, () => show(i)));
  const list = el("div", { class: "list" }, el("p", { class: "note" }, `${task.attempts.length} attempts`), picks);
  if (task.reference) list.append(el("button", { class: "pick", type: "button", onclick: () => body.replaceChildren(el("h3", {}, "The task"), sourceView(task.reference, "The task")) }, "The task itself"));
  openPane(task.name === task.id ? task.id : `${task.id} ${task.name}`, task.skip ? `${task.status}: ${task.skip}` : task.status, list, body);
  if (task.attempts.length) show(chosen);
  else body.append(el("p", { class: "note" }, task.skip ? `Skipped: ${task.skip}` : "No attempt yet."));
  picks[chosen]?.scrollIntoView({ block: "nearest" });
}

/** The attempt asked for, else the winner's, else the last. */
function pickAttempt(task, kind, wanted) {
  const last = task.attempts.length - 1;
  const by = (test) => task.attempts.findIndex(test);
  if (kind === "by") {
    const own = task.attempts.map((a, i) => [a.score, i]).filter(([, i]) => task.attempts[i].candidate === Number(wanted));
    if (own.length) return own.reduce((best, one) => (one[0] > best[0] ? one : best))[1];
  }
  if (kind && task.attempts[Number(kind) - 1]) return Number(kind) - 1;
  const won = by((a) => a.kernel && a.kernel === task.best);
  return won >= 0 ? won : Math.max(0, last);
}

function pickButton(task, attempt, index, onclick) {
  const prompt = attempt.candidate === null ? `proposal ${attempt.hash}` : `#${attempt.candidate}`;
  const winner = good(attempt) && index === task.attempts.findIndex((a) => a.kernel && a.kernel === task.best);
  return el("button", { class: "pick", type: "button", onclick },
    el("b", {}, String(index + 1)),
    el("span", { class: good(attempt) ? "good" : "bad" }, `${winner ? "★ " : ""}${attempt.status}`),
    el("span", { class: "num" }, attempt.speedup ? `${task.kernels[attempt.kernel]?.estimate ? "est. " : ""}${attempt.speedup[0].toFixed(2)}×` : ""),
    el("span", { class: "what" }, `${prompt}, ${attempt.step}, score ${attempt.score.toFixed(3)}${attempt.cached ? ", known already" : ""}`));
}

function attemptView(task, index) {
  const attempt = task.attempts[index];
  const kernel = attempt.kernel ? task.kernels[attempt.kernel] : null;
  const prompt = attempt.candidate === null
    ? `proposal ${attempt.hash}, not accepted`
    : el("a", { href: `#prompt/${attempt.candidate}` }, `prompt #${attempt.candidate}`);
  const head = [
    el("h3", {}, `Attempt ${index + 1}: ${attempt.step}, `, prompt),
    el("p", {}, el("span", { class: `badge ${good(attempt) ? "good" : "bad"}` }, attempt.status), ` ${attempt.reason || ""} `, attempt.speedup ? (kernel?.estimate ? `${attempt.speedup[0].toFixed(2)}× ${kernel.estimate.label}` : `${speedupText(attempt.speedup)} in the search`) : ""),
  ];
  if (!kernel) return [...head, el("p", { class: "note" }, attempt.kernel ? "The journal has lost this kernel." : "The reply held no kernel.")];
  const before = attempt.parent === null ? null : task.kernels[task.attempts[attempt.parent].kernel];
  const parts = [["Kernel", () => sourceView(kernel.source, "Kernel source", kernel.language)]];
  if (before?.source && kernel.source) parts.push([`Diff to attempt ${attempt.parent + 1}`, () => diffView(before.source, kernel.source, "Difference to its parent")]);
  parts.push(["Feedback (ASI)", () => proseView(kernel.asi, "No feedback was made.")]);
  parts.push(["Build log", () => buildView(kernel)]);
  parts.push(["Measurements", () => measurements(task, attempt.kernel, kernel)]);
  parts.push(["Profiles", () => profiles(kernel)]);
  parts.push(["Output", () => proseView(kernel.log, "It printed nothing.")]);
  return [...head, ...tabs(parts)];
}

function buildView(kernel) {
  if (!kernel.build) return el("p", { class: "note" }, "Nothing was built.");
  const how = kernel.build.cached ? "taken from the cache" : `built in ${figure(kernel.build.seconds)} s`;
  return [el("p", { class: "note" }, how), proseView(kernel.build.command, "The command was not kept."), el("h3", {}, "What the compiler said"), proseView(kernel.build.log, "Nothing.")];
}

function measurements(task, hash, kernel) {
  const again = task.again[hash];
  const made = [];
  for (const [title, found] of [["Measured again at the end, in fresh processes", again], ["As the search measured it", kernel]]) {
    if (!found?.timing) continue;
    made.push(el("h3", {}, title), timingTable([found.timing, ...found.baselines]), strip(found.timing));
    for (const [name, why] of Object.entries(found.missing)) made.push(el("p", { class: "note" }, `No figure for ${name}: ${why}`));
  }
  if (kernel.estimate) made.push(el("h3", {}, `Cycles, ${kernel.estimate.label}`), grid(["what", "value"], Object.entries(kernel.estimate).map(([k, v]) => [k, typeof v === "number" ? figure(v, 5) : v ?? "–"]), [1]));
  if (!made.length) made.push(el("p", { class: "note" }, "It was not timed."));
  if (kernel.checks.length) {
    made.push(el("h3", {}, "Checks against the fp64 reference"));
    made.push(grid(["workload", "status", "max |error|", "max relative", "detail"], kernel.checks.map(([w, s, a, r, d]) => [w, s, figure(a), figure(r), d]), [2, 3]));
  }
  made.push(el("h3", {}, "Where"), grid(["what", "value"], [["device", kernel.device], ["isolation", kernel.isolation], ["took", `${figure(kernel.seconds)} s`], ...Object.entries(kernel.environment)]));
  return made.filter(Boolean);
}

function timingTable(timings) {
  return grid(["against", "speedup [95 % CI]", "kernel", "baseline", "rounds", "calls"],
    timings.map((t) => [t.baseline, speedupText(t.speedup), `${figure(t.candidate_ms)} ms`, `${figure(t.reference_ms)} ms`, t.rounds, t.calls]), [1, 2, 3, 4, 5]);
}

function profiles(kernel) {
  if (!kernel.profiles.length) return el("p", { class: "note" }, "No profile was taken.");
  return kernel.profiles.flatMap(([tool, metrics, text]) => [
    el("h3", {}, tool), text ? proseView(text) : null,
    Object.keys(metrics).length ? grid(["metric", "value"], Object.entries(metrics).map(([k, v]) => [k, figure(v, 4)]), [1]) : null,
  ]).filter(Boolean);
}
