/** The page: an editor, and what the compiler says of its text, at each keystroke. */
import { EditorView } from "@codemirror/view";
import { byId, element, save } from "./dom.js";
import { EXAMPLES } from "./examples.js";
import { language, mend, show } from "./language.js";
import { compilerOf, type Told } from "./protocol.js";
import { runPanel } from "./run.js";
import { read, written, type State } from "./state.js";
import { comparison, summaryTable } from "./summary.js";
import { trainPanel } from "./train.js";

const compiler = compilerOf(new Worker(new URL("compiler-worker.js", import.meta.url), { type: "module" }));
const compare = byId<HTMLInputElement>("compare");
const example = byId<HTMLSelectElement>("example");
const status = byId("status");
const figure = byId("figure");
let tab = "figure";
/** What a scripted session measures. */
const latency: number[] = [];
Object.assign(globalThis, { latency });

// ---- what follows each keystroke

let asked = 0;
let busy = false;
let due: number | undefined;
let svg = "";

/** One question at a time, and then the newest. */
async function update(): Promise<void> {
  due ??= performance.now();
  asked++;
  if (busy) return;
  busy = true;
  try {
    for (let answered = 0; answered !== asked;) {
      answered = asked;
      const since = due ?? performance.now();
      due = undefined;
      const text = view.state.doc.toString();
      const told = await compiler.update(text, view.state.selection.main.head, compare.value);
      // What was typed since then moves the places; its own answer comes next.
      if (view.state.doc.toString() === text) showTold(told);
      latency.push(performance.now() - since);
    }
  } catch (error) {
    status.textContent = (error as Error).message;
  } finally {
    busy = false;
  }
}

function showTold(told: Told): void {
  show(view, told);
  const { problems, drawing, layers, compareProblem } = told;
  byId("problems").replaceChildren(
    ...problems.map((problem) => {
      const { from, message, severity, help, fixes } = problem;
      const line = view.state.doc.lineAt(Math.min(from, view.state.doc.length));
      const go = element("button", {}, element("b", {}, `${severity}, line ${line.number}: `), message);
      if (help !== undefined) go.append(element("small", {}, help));
      go.addEventListener("click", () => {
        view.dispatch({ selection: { anchor: from }, scrollIntoView: true });
        view.focus();
      });
      const mends = fixes.map((fix) => {
        const button = element("button", {}, element("small", {}, `→ ${fix.title}`));
        button.addEventListener("click", () => mend(view, fix));
        return button;
      });
      return element("li", { class: severity }, go, ...mends);
    }),
  );
  if (drawing && drawing.svg !== svg) {
    svg = drawing.svg;
    // It is the compiler's own drawing, whose texts are escaped.
    figure.innerHTML = svg;
    const [first, second] = drawing.summaries;
    byId("summary").replaceChildren(
      ...(second ? [comparison(drawing.summaries)] : []),
      ...drawing.summaries.map(summaryTable),
    );
    figure.setAttribute("aria-label", `Figure of ${first?.name ?? "the network"}`);
  }
  // What was drawn last stays while the text has errors.
  for (const panel of [figure, byId("summary")]) panel.classList.toggle("stale", !drawing);
  mark(layers);
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const [first] = drawing?.summaries ?? [];
  const counted = first
    ? `${first.name}: ${first.params.toLocaleString("en-US")} parameters`
    : "the network has errors: what is shown is from before";
  const wrong = errors === 0 ? "" : `; ${errors} ${errors === 1 ? "error" : "errors"}`;
  const other = compareProblem === undefined ? "" : `; compare with: ${compareProblem}`;
  const line = `${counted}${wrong}${other}`;
  if (status.textContent !== line) status.textContent = line;
  compare.setAttribute("aria-invalid", String(compareProblem !== undefined));
}

/** The layers of the line that the cursor is in. */
function mark(layers: readonly string[]): void {
  const wanted = new Set(layers);
  for (const group of figure.querySelectorAll("g")) {
    const path = group.querySelector("title")?.textContent;
    group.classList.toggle("at", path !== undefined && path !== null && wanted.has(path));
  }
}

// ---- the address

let saving: ReturnType<typeof setTimeout> | undefined;

function state(): State {
  const text = view.state.doc.toString();
  return { text, ...(compare.value && { compare: compare.value }), ...(tab !== "figure" && { view: tab }) };
}

function remember(): void {
  clearTimeout(saving);
  saving = setTimeout(() => {
    void written(state()).then((hash) => window.history.replaceState(null, "", hash));
  }, 400);
}

async function restore(): Promise<State> {
  return (await read(window.location.hash)) ?? { text: EXAMPLES[0]!.text };
}

function use({ text, compare: other = "", view: shown = "figure" }: State): void {
  compare.value = other;
  view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
  select(shown);
  void update();
}

// ---- tabs

document.body.classList.toggle("embed", new URLSearchParams(window.location.search).has("embed"));
// Embedded there is no room for running and training.
const tabs = [...document.querySelectorAll<HTMLButtonElement>("[role=tab]")].filter(
  (each) => getComputedStyle(each).display !== "none",
);

function select(name: string): void {
  tab = tabs.some(({ id }) => id === `tab-${name}`) ? name : "figure";
  for (const each of tabs) {
    const own = each.id.slice("tab-".length);
    each.setAttribute("aria-selected", String(own === tab));
    each.tabIndex = own === tab ? 0 : -1;
    byId(own).hidden = own !== tab;
  }
}

for (const [at, each] of tabs.entries()) {
  each.addEventListener("click", () => {
    select(each.id.slice("tab-".length));
    remember();
  });
  each.addEventListener("keydown", ({ key }) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (step === undefined) return;
    const next = tabs[(at + step + tabs.length) % tabs.length]!;
    next.focus();
    next.click();
  });
}

// ---- begin

async function format(): Promise<void> {
  const text = view.state.doc.toString();
  const formatted = await compiler.format(text);
  if (formatted === undefined) status.textContent = "not formatted: the text has errors";
  else if (formatted !== text && view.state.doc.toString() === text) {
    view.dispatch({ changes: { from: 0, to: text.length, insert: formatted } });
  }
}

async function saveOnnx(): Promise<void> {
  try {
    const made = await compiler.compile();
    if (!made) status.textContent = "nothing to compile: the network has errors";
    else save(`${made.name}.onnx`, made.bytes as Uint8Array<ArrayBuffer>, "application/octet-stream");
  } catch (error) {
    status.textContent = (error as Error).message;
  }
}

example.append(element("option", { value: "" }, "choose ..."));
example.append(...EXAMPLES.map(({ name }, at) => element("option", { value: String(at) }, name)));
const begun = await restore();
const view: EditorView = new EditorView({
  parent: byId("editor"),
  doc: begun.text,
  extensions: language(compiler, {
    onChange: () => {
      void update();
      remember();
    },
    onMove: () => void update(),
    format: () => void format(),
  }),
});
Object.assign(globalThis, { view });
use(begun);
example.addEventListener("change", () => {
  const chosen = EXAMPLES[Number(example.value)];
  if (example.value !== "" && chosen) use({ text: chosen.text, compare: compare.value, view: tab });
  example.value = "";
});
compare.addEventListener("input", () => {
  void update();
  remember();
});
byId("format").addEventListener("click", () => void format());
byId("share").addEventListener("click", () => {
  void written(state())
    .then((hash) => {
      window.history.replaceState(null, "", hash);
      return navigator.clipboard.writeText(window.location.href);
    })
    .then(
      () => (status.textContent = "the link is copied: it holds the source itself"),
      () => (status.textContent = "the address of this page is the link"),
    );
});
byId("save-svg").addEventListener("click", () => save("figure.svg", svg, "image/svg+xml"));
byId("save-onnx").addEventListener("click", () => void saveOnnx());
window.addEventListener("hashchange", () => void restore().then(use));
void compiler.standard().then((names) => {
  byId("networks").append(...names.map((name) => element("option", { value: name })));
});
runPanel(byId("run"));
trainPanel(byId("train"), () => view.state.doc.toString());
if ("serviceWorker" in navigator && window.location.protocol.startsWith("http")) {
  void navigator.serviceWorker.register("sw.js").catch(() => undefined);
}
