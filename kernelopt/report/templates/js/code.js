// Source → coloured lines. The patterns take linear time on any text: nothing that follows a repetition can fail,
// since what is never closed ends with its line or with the text.

const PYTHON = /(?<c>#[^\n]*)|(?<t>"""[^]*?(?:"""|$)|'''[^]*?(?:'''|$))|(?<s>"(?:\\[^]|[^"\\\n])*"?|'(?:\\[^]|[^'\\\n])*'?)|(?<d>@[\w.]+)|(?<n>\b\d[\w.]*)|(?<k>\b(?:and|as|assert|async|await|break|class|continue|def|del|elif|else|except|finally|for|from|global|if|import|in|is|lambda|nonlocal|not|or|pass|raise|return|try|while|with|yield|None|True|False|self)\b)|(?<w>\w+)/g;
const CPP = /(?<c>\/\/[^\n]*|\/\*[^]*?(?:\*\/|$))|(?<d>#[ \t]*[a-z]+[^\n]*)|(?<s>"(?:\\[^]|[^"\\\n])*"?|'(?:\\[^]|[^'\\\n])*'?)|(?<n>\b\d[\w.]*)|(?<k>\b(?:alignas|auto|bool|break|case|char|class|const|constexpr|continue|default|do|double|else|enum|extern|false|float|for|if|inline|int|int32_t|int64_t|long|namespace|noexcept|nullptr|operator|private|public|restrict|return|short|signed|sizeof|size_t|static|static_cast|struct|switch|template|this|true|typename|uint32_t|uint64_t|unsigned|using|void|volatile|while|__[a-z]+__)\b)|(?<w>\w+)/g;
const LONGEST = 300000;

/** Tokens [class, text]; a Python string that holds C++ (as for load_inline) is coloured as C++. */
function tokens(text, pattern) {
  const found = [];
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > at) found.push(["", text.slice(at, match.index)]);
    at = match.index + match[0].length;
    const kind = Object.keys(match.groups).find((name) => match.groups[name] !== undefined);
    if (kind === "t" && /#include|__global__|;\s*\n/.test(match[0])) found.push(...embedded(match[0]));
    else found.push([{ t: "s", w: "" }[kind] ?? kind, match[0]]);
  }
  found.push(["", text.slice(at)]);
  return found;
}

function embedded(text) {
  return [["s", text.slice(0, 3)], ...tokens(text.slice(3, -3), CPP), ["s", text.slice(-3)]];
}

/** Characters that turn the direction of text or have no shape are named instead of obeyed. */
function visible(text) {
  return text.split(/([\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff])/)
    .map((part, i) => (i % 2 ? el("span", { class: "odd" }, `U+${part.charCodeAt(0).toString(16).padStart(4, "0")}`) : part));
}

/** Lines of coloured nodes. */
function colouredLines(text, language) {
  const lines = [[]];
  const whole = text.length <= LONGEST ? tokens(text, language === "aie" ? CPP : PYTHON) : [["", text]];
  for (const [kind, part] of whole) {
    part.split("\n").forEach((piece, i) => {
      if (i) lines.push([]);
      if (piece) lines.at(-1).push(...(kind ? [el("span", { class: kind }, visible(piece))] : visible(piece)));
    });
  }
  return lines;
}

/** Numbered, coloured source. */
function sourceView(text, label, language = "") {
  if (text === null || text === undefined) return el("p", { class: "note" }, "No source was kept.");
  const lines = colouredLines(text.replace(/\n$/, ""), language);
  return el("pre", { tabindex: "0", "aria-label": label },
    el("code", {}, lines.map((nodes, i) => el("span", { class: "row", "data-n": i + 1 }, ...nodes, "\n"))));
}

/** Words as they are: logs, feedback, prompts. */
function proseView(text, otherwise) {
  return text ? el("pre", { class: "prose", tabindex: "0" }, visible(text)) : el("p", { class: "note" }, otherwise);
}
